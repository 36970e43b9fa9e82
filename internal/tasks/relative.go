package tasks

// relative is what is known of another environment of the project.
type relative struct{ ID, Parent string }

func listEnvironments(look Lookup) ([]relative, error) {
	return list[relative](look, projectRoute+"/environments")
}

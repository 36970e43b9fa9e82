package tasks

// relative is what is known of another environment of the project.
type relative struct{ ID, Parent string }

func listEnvironments(look Lookup) ([]relative, error) {
	all, err := look(projectRoute+"/environments", "")
	if err != nil || all == nil {
		return nil, err
	}
	var list []relative
	err = all.Decode(&list)
	return list, err
}

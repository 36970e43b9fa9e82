package sandbox

import "encoding/json"

// settings are those of an environment that can be changed here.
type settings struct {
	ManualDeployments *bool `json:"enable_manual_deployments"`
	Links             links `json:"_links,omitempty"`
}

func checkSettings(body []byte) error { return decode(body, &settings{}) }

// noActivity is for what starts none, as far as is known.
func noActivity([]byte) []string { return nil }

// changeSettings takes over what the request mentions. Without manual
// deployments nothing stays staged.
func (s *Sandbox) changeSettings(c *call, e *environment) (any, bool) {
	var patch settings
	json.Unmarshal(c.body, &patch) // was checked
	take(&e.ManualDeployments, patch.ManualDeployments)
	e.HasStagedActivities = e.HasStagedActivities && e.ManualDeployments
	return e.settings(), true
}

func (s *Sandbox) getSettings(c *call, e *environment) { c.json(200, e.settings()) }

// settings have no link to be edited by, as on the platform.
func (e *environment) settings() settings {
	return settings{&e.ManualDeployments, links{"self": e.project.self(e.path() + "/settings")}}
}

// projectPatch is what of a project can be changed here.
type projectPatch struct {
	Title         *string `json:"title"`
	Description   *string `json:"description"`
	DefaultDomain *string `json:"default_domain"`
	DefaultBranch *string `json:"default_branch"`
}

func checkProjectPatch(body []byte) error { return decode(body, &projectPatch{}) }

// patchedProject are the types of the activities that a patch of the project
// starts, as far as they are known.
func patchedProject(body []byte) []string {
	var patch projectPatch
	json.Unmarshal(body, &patch) // was checked
	if patch.Title == nil {
		return nil
	}
	return []string{"project.modify.title"}
}

// changeProject takes over what the request mentions.
func (s *Sandbox) changeProject(c *call, itself *environment) (any, bool) {
	var patch projectPatch
	json.Unmarshal(c.body, &patch) // was checked
	p := itself.project
	take(&p.title, patch.Title)
	take(&p.description, patch.Description)
	take(&p.defaultDomain, patch.DefaultDomain)
	take(&p.defaultBranch, patch.DefaultBranch)
	return p.view(c.caller), true
}

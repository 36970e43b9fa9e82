package sandbox

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// environment is an environment with what goes on in it. Its project's lock
// guards it.
type environment struct {
	Environment
	project              *project
	createdAt, updatedAt time.Time
	deployedAt           time.Time // zero until it was deployed again

	queue     []*activity // not over yet, in the order in which they run
	backups   []*Backup   // oldest first
	variables []*variable // its own, oldest first
	domains   []*domain   // oldest first

	autoscaling *Autoscaling // of the application; nil is the platform's default
}

func (e *environment) isMain() bool { return e.Name == e.project.defaultBranch }

// isDirty reports whether an activity is under way.
func (e *environment) isDirty() bool {
	return e.Dirty || e.Status == "dirty" || len(e.queue) > 0
}

// settle gives those activities their effect that are over by now.
func (e *environment) settle(now time.Time) {
	for len(e.queue) > 0 && !e.queue[0].endAt.After(now) {
		over := e.queue[0]
		e.queue = e.queue[1:]
		e.updatedAt = over.endAt
		switch over.ending {
		case Success, HookFailure:
			over.effect(e, over)
		case Staged:
			e.HasStagedActivities = true
		}
	}
	if len(e.queue) == 0 {
		e.queue = nil
	}
}

func (e *environment) path() string {
	return e.project.path + "/environments/" + url.PathEscape(e.Name)
}

// links depend on who asks and on the state, as on the platform: what cannot be
// done is not there. The arrays are what a client must step over.
func (e *environment) links(c caller, operations []operation) links {
	path, public := e.path(), link{"https://" + e.edgeHostname() + "/"}
	l := links{
		"self":       e.project.self(path),
		"public-url": public,
		"curies":     []curie{{"pf", "/api/rel/{rel}", true}},
		"pf:routes":  []link{public},
	}
	if atLeast(c.roleOn(e), "contributor") {
		ssh := "ssh://" + e.project.id + "-" + e.MachineName
		l["ssh"] = link{ssh + "@ssh." + e.project.region}
		l["pf:ssh:app"] = link{ssh + "--app@ssh." + e.project.region}
	}
	if e.isDirty() {
		return l
	}
	for _, o := range operations {
		if o.link != "" && o.possible(e) && o.allows(c, e) {
			l[o.link] = link{strings.TrimSuffix(path+"/"+o.path, "/")}
		}
	}
	return l
}

func (e *environment) edgeHostname() string {
	return e.MachineName + "-" + e.project.id + ".sandbox.invalid"
}

// environmentView is the JSON form, after the OpenAPI description's Environment.
type environmentView struct {
	ID                    string           `json:"id"`
	CreatedAt             stamp            `json:"created_at"`
	UpdatedAt             stamp            `json:"updated_at"`
	Name                  string           `json:"name"`
	MachineName           string           `json:"machine_name"`
	Title                 string           `json:"title"`
	Attributes            struct{}         `json:"attributes"`
	Type                  string           `json:"type"`
	Parent                optional         `json:"parent"`
	DefaultDomain         optional         `json:"default_domain"`
	HasDomains            bool             `json:"has_domains"`
	CloneParentOnCreate   bool             `json:"clone_parent_on_create"`
	DeploymentTarget      optional         `json:"deployment_target"`
	IsPR                  bool             `json:"is_pr"`
	HasRemote             bool             `json:"has_remote"`
	Status                string           `json:"status"`
	HTTPAccess            HTTPAccess       `json:"http_access"`
	EnableSMTP            bool             `json:"enable_smtp"`
	RestrictRobots        bool             `json:"restrict_robots"`
	EdgeHostname          string           `json:"edge_hostname"`
	DeploymentState       *deploymentState `json:"deployment_state"`
	Sizing                *struct{}        `json:"sizing"`
	ResourcesOverrides    struct{}         `json:"resources_overrides"`
	MaxInstanceCount      *int             `json:"max_instance_count"`
	LastActiveAt          stamp            `json:"last_active_at"`
	LastBackupAt          stamp            `json:"last_backup_at"`
	Project               string           `json:"project"`
	IsMain                bool             `json:"is_main"`
	IsDirty               bool             `json:"is_dirty"`
	HasStagedActivities   bool             `json:"has_staged_activities"`
	CanRollingDeploy      bool             `json:"can_rolling_deploy"`
	SupportsRolling       bool             `json:"supports_rolling_deployments"`
	HasCode               bool             `json:"has_code"`
	HeadCommit            optional         `json:"head_commit"`
	MergeInfo             mergeInfo        `json:"merge_info"`
	HasDeployment         bool             `json:"has_deployment"`
	SupportRestrictRobots bool             `json:"supports_restrict_robots"`
	Links                 links            `json:"_links"`
}

type deploymentState struct {
	StateUpdateSuccessful bool      `json:"last_state_update_successful"`
	DeploymentSuccessful  bool      `json:"last_deployment_successful"`
	FailureReason         optional  `json:"last_deployment_failure_reason"`
	Commands              []command `json:"last_deployment_commands"`
	DeploymentAt          stamp     `json:"last_deployment_at"`
	AutoscaleUpAt         stamp     `json:"last_autoscale_up_at"`
	AutoscaleDownAt       stamp     `json:"last_autoscale_down_at"`
	MaintenanceAt         stamp     `json:"last_maintenance_at"`
	Crons                 crons     `json:"crons"`
}

type crons struct {
	Enabled bool   `json:"enabled"`
	Status  string `json:"status"`
}

type mergeInfo struct {
	CommitsAhead  *int     `json:"commits_ahead"`
	CommitsBehind *int     `json:"commits_behind"`
	ParentRef     optional `json:"parent_ref"`
}

func (e *environment) view(c caller, operations []operation) environmentView {
	deployed := e.Status != "inactive"
	v := environmentView{
		ID:                  e.Name,
		CreatedAt:           stamp(e.createdAt),
		UpdatedAt:           stamp(e.updatedAt),
		Name:                e.Name,
		MachineName:         e.MachineName,
		Title:               e.Title,
		Type:                e.Type,
		Parent:              optional(e.Parent),
		CloneParentOnCreate: true,
		DeploymentTarget:    "local",
		HasRemote:           true,
		Status:              e.Status,
		HTTPAccess:          e.HTTPAccess.whole(),
		EnableSMTP:          !e.NoSMTP,
		RestrictRobots:      e.RestrictRobots,
		EdgeHostname:        e.edgeHostname(),
		LastBackupAt:        stamp(e.LastBackupAt),
		Project:             e.project.id,
		IsMain:              e.isMain(),
		IsDirty:             e.isDirty(),
		HasStagedActivities: e.HasStagedActivities,
		CanRollingDeploy:    !e.NoRollingDeploys,
		SupportsRolling:     !e.NoRollingDeploys,
		HasCode:             true,
		HeadCommit:          optional(commit(e)),
		HasDeployment:       deployed,
		Links:               e.links(c, operations),
	}
	if deployed {
		v.LastActiveAt = stamp(e.updatedAt)
		v.DeploymentState = &deploymentState{
			StateUpdateSuccessful: true,
			DeploymentSuccessful:  true,
			Commands:              []command{},
			DeploymentAt:          stamp(e.lastDeployment()),
			Crons:                 crons{true, e.cronStatus()},
		}
	}
	return v
}

func (e *environment) lastDeployment() time.Time {
	if e.deployedAt.IsZero() {
		return e.createdAt
	}
	return e.deployedAt
}

// cronStatus is the state of the crons that the platform itself would run.
func (e *environment) cronStatus() string {
	if e.Status == "paused" {
		return "paused"
	}
	return "running"
}

func (s *Sandbox) listEnvironments(c *call, p *project) {
	list := make([]environmentView, len(p.environments))
	for i, e := range p.environments {
		list[i] = e.view(c.caller, s.operations)
	}
	c.json(200, list)
}

func (s *Sandbox) getEnvironment(c *call, e *environment) {
	c.json(200, e.view(c.caller, s.operations))
}

// commit is the id of the environment's head, which never moves.
func commit(e *environment) string {
	a, b := hashed(e.project.id, e.Name), hashed(e.Name, e.project.id)
	return fmt.Sprintf("%016x%016x%08x", a, b, uint32(a^b))
}

// slug is a name in lower-case letters, digits and dashes.
func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
}

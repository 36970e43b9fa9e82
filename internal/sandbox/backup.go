package sandbox

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"
)

// Backup is a backup of an environment.
type Backup struct {
	ID        string // default: a new one
	CreatedAt time.Time
	Automated bool // made by the platform; does not count towards the quota
	Safe      bool // made while the site was held

	Unrestorable bool // there, but of no use
}

// Eviction is the loss of a manual backup to a newer one.
type Eviction struct {
	At                   time.Time
	Project, Environment string
	Backup               string // id of the lost one
	By                   string // id of the one that took its place
}

// keep adds a backup and lets the oldest manual ones go that are over the quota.
func (e *environment) keep(b *Backup, quota int) {
	e.backups = append(e.backups, b)
	e.LastBackupAt = b.CreatedAt
	if b.Automated {
		return
	}
	manual := 0
	for i, old := range slices.Backward(e.backups) {
		if old.Automated {
			continue
		}
		if manual++; manual > quota {
			e.backups = slices.Delete(e.backups, i, i+1)
			e.project.evictions = append(e.project.evictions, Eviction{
				At: b.CreatedAt, Project: e.project.id, Environment: e.Name, Backup: old.ID, By: b.ID,
			})
		}
	}
}

// finishBackup is what a backup activity does at its end. Without safe in the
// request, a safe one is made; what the platform does then is not known.
func (s *Sandbox) finishBackup(e *environment, a *activity) {
	var request struct{ Safe *bool }
	json.Unmarshal([]byte(a.body), &request) // was checked when it came
	b := &Backup{ID: s.newID(), CreatedAt: a.endAt, Safe: request.Safe == nil || *request.Safe}
	a.backup = b.ID
	e.keep(b, s.options.quota(e.Type))
}

// AddBackup gives an environment a backup that was made at another time, as the
// newest one. The quota applies.
func (s *Sandbox) AddBackup(project, environment string, b Backup) {
	s.SetEnvironment(project, environment, func(*Environment) {})
	p := s.project(project)
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.environment(environment)
	if b.ID == "" {
		b.ID = s.newID()
	}
	e.keep(&b, s.options.quota(e.Type))
}

// Backups lists an environment's backups, newest first.
func (s *Sandbox) Backups(project, name string) []Backup {
	var list []Backup
	s.peek(project, name, func(e *environment) {
		for _, b := range slices.Backward(e.backups) {
			list = append(list, *b)
		}
	})
	return list
}

// Evictions lists every backup that was lost to a newer one, in the order of
// their loss.
func (s *Sandbox) Evictions() []Eviction {
	var list []Eviction
	for _, p := range s.everyProject() {
		p.mu.Lock()
		p.settle(s.now())
		list = append(list, p.evictions...)
		p.mu.Unlock()
	}
	slices.SortStableFunc(list, func(a, b Eviction) int { return a.At.Compare(b.At) })
	return list
}

// backupView is the JSON form, after the OpenAPI description's Backup.
type backupView struct {
	ID            string   `json:"id"`
	CreatedAt     stamp    `json:"created_at"`
	UpdatedAt     stamp    `json:"updated_at"`
	Attributes    struct{} `json:"attributes"`
	Status        string   `json:"status"`
	ExpiresAt     stamp    `json:"expires_at"`
	Index         *int     `json:"index"`
	CommitID      string   `json:"commit_id"`
	Environment   string   `json:"environment"`
	Safe          bool     `json:"safe"`
	SizeOfVolumes *int     `json:"size_of_volumes"`
	SizeUsed      *int     `json:"size_used"`
	Deployment    optional `json:"deployment"`
	Restorable    bool     `json:"restorable"`
	Automated     bool     `json:"automated"`
	Links         links    `json:"_links"`
}

// viewBackup leaves out #restore when it cannot be followed. Whether the platform
// has a link to delete a backup is not known; here it has none.
func (e *environment) viewBackup(b *Backup, c caller) backupView {
	path := e.path() + "/backups/" + url.PathEscape(b.ID)
	l := links{"self": e.project.self(path)}
	if c.roleOn(e) == "admin" && e.Status == "active" && !e.isDirty() && !b.Unrestorable {
		l["#restore"] = link{path + "/restore"}
	}
	return backupView{
		ID:          b.ID,
		CreatedAt:   stamp(b.CreatedAt),
		UpdatedAt:   stamp(b.CreatedAt),
		Status:      "CREATED",
		CommitID:    commit(e),
		Environment: e.Name,
		Safe:        b.Safe,
		Restorable:  !b.Unrestorable,
		Automated:   b.Automated,
		Links:       l,
	}
}

func (s *Sandbox) listBackups(c *call, e *environment) {
	list := make([]backupView, 0, len(e.backups))
	for _, b := range slices.Backward(e.backups) {
		list = append(list, e.viewBackup(b, c.caller))
	}
	c.json(200, list)
}

func (s *Sandbox) getBackup(c *call, e *environment) {
	if b := e.backup(c); b != nil {
		c.json(200, e.viewBackup(b, c.caller))
	}
}

// backup returns the backup of the path. It answers the call when there is none.
func (e *environment) backup(c *call) *Backup {
	for _, b := range e.backups {
		if b.ID == c.PathValue("backup") {
			return b
		}
	}
	c.fail(404, "Backup not found")
	return nil
}

// deleteBackup forgets the backup of the path at once.
func (s *Sandbox) deleteBackup(c *call, e *environment) (any, bool) {
	b := e.backup(c)
	if b == nil {
		return nil, false
	}
	e.backups = slices.DeleteFunc(e.backups, func(other *Backup) bool { return other == b })
	return nil, true
}

func checkRestore(body []byte) error {
	return decode(body, &struct {
		EnvironmentName  *string        `json:"environment_name"`
		BranchFrom       *string        `json:"branch_from"`
		RestoreCode      *bool          `json:"restore_code"`
		RestoreResources *bool          `json:"restore_resources"`
		Resources        *initResources `json:"resources"`
	}{})
}

// restoreBackup allows what can be restored. Environments have no data here, so
// nothing changes.
func (s *Sandbox) restoreBackup(c *call, e *environment) (any, bool) {
	b := e.backup(c)
	if b == nil {
		return nil, false
	}
	if b.Unrestorable {
		c.fail(400, "This backup cannot be restored")
		return nil, false
	}
	return nil, true
}

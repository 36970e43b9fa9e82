package tasks

// Backup makes a manual backup of the environment. The platform keeps only a
// few manual backups and lets a new one replace the oldest, so it must not be
// asked for twice.
type Backup struct {
	// Live leaves the environment running during the backup, at the risk of
	// inconsistent data. Otherwise it stops for some seconds.
	Live bool `yaml:"live" json:"live,omitempty"`
}

var backup = &Kind{
	Name:     "backup",
	Command:  "backup:create",
	Aliases:  []string{"backup", "snapshot:create", "environment:backup"},
	Summary:  "make a manual backup of the environment",
	Link:     "#backup",
	Route:    environmentRoute + "/backup",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  Witness{Activities: []string{"environment.backup"}},
	Confirms: true,
	Options: []Option{
		{Name: "live"},
		{Name: "unsafe", Hidden: true}, // what --live was called
	},
	Arguments: []Argument{{Name: ArgumentEnvironment}},
	New:       func() Task { return &Backup{} },
	FromCLI: func(in Input) (Task, error) {
		return &Backup{Live: in.Given("live") || in.Given("unsafe")}, nil
	},
}

// Kind implements Task.
func (*Backup) Kind() *Kind { return backup }

// Validate implements Task.
func (*Backup) Validate() error { return nil }

// Body implements Task. It always says what it wants: what the API does
// without "safe" is not documented, and the CLI always sends it too.
func (b *Backup) Body() any {
	return struct {
		Safe bool `json:"safe"`
	}{!b.Live}
}

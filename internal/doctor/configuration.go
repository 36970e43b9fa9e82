package doctor

import "github.com/automatond/automatond/internal/config"

// Configuration makes findings of what was found while a configuration was loaded. It is nil when it
// is not valid.
func Configuration(cfg *config.Config, diagnostics config.Diagnostics) []Finding {
	var list []Finding
	for _, d := range diagnostics {
		f := Finding{Check: CheckConfiguration, Status: Failed, Message: d.Sentence(), Hint: d.Hint, File: d.File, Line: d.Line, Column: d.Column}
		switch d.Severity {
		case config.Info:
			continue
		case config.Warning:
			f.Status = Warning
		}
		list = append(list, f)
	}
	if cfg != nil {
		projects := counted(len(cfg.Projects), "project")
		if names := cfg.DiscoveryNames(); len(names) > 0 {
			projects += " and those of " + Enumerate(names)
		}
		list = append(list, passed(CheckConfiguration, "it is valid: %s, %s, %s", counted(len(cfg.Jobs), "cron"),
			projects, counted(len(cfg.Users), "automation user")))
	}
	return list
}

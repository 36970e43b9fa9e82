package app

import (
	"runtime"
	"runtime/debug"
)

// Version says which build this is.
type Version struct {
	Version  string `json:"version"`  // release, or "devel"
	Revision string `json:"revision"` // commit, "" if unknown
	Modified bool   `json:"modified"` // built from a tree with changes
	Go       string `json:"go"`
	Platform string `json:"platform"` // operating system and architecture
}

// BuildVersion reads the version that the toolchain stamped into the binary. A release build
// passes its own.
func BuildVersion(release string) Version {
	v := Version{Version: release, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "" {
		v.Version = info.Main.Version
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "devel"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// UserAgent is how the daemon names itself to the platform.
func (v Version) UserAgent() string {
	return "automatond/" + v.Version + " (+https://github.com/automatond/automatond)"
}

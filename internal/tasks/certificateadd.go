package tasks

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/automatond/automatond/internal/platform"
)

// CertificateAdd gives the project a certificate of its user's own. Its files are read when it is asked for,
// so one that was renewed meanwhile is taken; the ledger keeps their paths and nothing of what they hold.
type CertificateAdd struct {
	Certificate string   `yaml:"certificate_file" json:"certificate_file"` // PEM; its chain may stand behind it
	Key         string   `yaml:"key_file" json:"key_file"`                 // PEM, without a passphrase
	Chain       []string `yaml:"chain_files" json:"chain_files,omitempty"` // PEM, more of the chain
}

var certificateAdd = &Kind{
	Name:       "certificate_add",
	Command:    "certificate:add",
	Summary:    "give the project a certificate of your own",
	Route:      certificateRoute,
	Role:       "admin",
	Statuses:   []string{statusActive},
	Witness:    Witness{Done: true},
	Repeatable: true,
	Options: []Option{
		{Name: "cert", TakesValue: true},
		{Name: "key", TakesValue: true},
		{Name: "chain", TakesValue: true, Repeated: true},
	},
	New: func() Task { return &CertificateAdd{} },
	FromCLI: func(in Input) (Task, error) {
		return &CertificateAdd{Certificate: in.Option("cert"), Key: in.Option("key"), Chain: in.Options["chain"]}, nil
	},
}

// Kind implements Task.
func (*CertificateAdd) Kind() *Kind { return certificateAdd }

// Validate implements Task.
func (c *CertificateAdd) Validate() error {
	if c.Certificate == "" || c.Key == "" {
		return errors.New("certificate_file and key_file are both needed (--cert and --key)")
	}
	for _, file := range append([]string{c.Certificate, c.Key}, c.Chain...) {
		if !filepath.IsAbs(file) {
			return fmt.Errorf("file %q has no absolute path; it is read on the daemon's machine", file)
		}
	}
	return nil
}

// Body implements Task. What is sent, only the files say.
func (*CertificateAdd) Body() any { return keyPair{} }

func (*CertificateAdd) projectWide() bool { return true }

// prepare reads the files, and looks whether the project has the certificate. The request goes where the
// OpenAPI description has it, because the platform is not known to have a link for it.
func (c *CertificateAdd) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	pair, err := readKeyPair(c.Certificate, c.Key, c.Chain)
	if err != nil {
		return platform.Request{}, &Refusal{RefusedMissing, err.Error()}
	}
	all, err := listCertificates(look)
	if err != nil {
		return platform.Request{}, err
	}
	if i := slices.IndexFunc(all, func(e existingCertificate) bool { return e.is(pair.leaf) }); i >= 0 {
		return platform.Request{}, &Refusal{RefusedAlready, fmt.Sprintf("project %q has the certificate already, as %s", env.Project, all[i].ID)}
	}
	project, err := lookAtProject(env, look)
	if err != nil {
		return platform.Request{}, err
	}
	path, ok := project.Links.Path("self")
	if !ok {
		return platform.Request{}, refuseOnProject(certificateAdd, env)
	}
	r, err := request(http.MethodPost, path+"/certificates", certificateAdd.Route, pair)
	r.Confidential = append(r.Confidential, pair.Key)
	return r, err
}

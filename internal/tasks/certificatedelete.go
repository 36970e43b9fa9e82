package tasks

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/automatond/automatond/internal/platform"
)

// CertificateDelete takes a certificate of its user's own from the project, and fails when there is none of
// that ID.
type CertificateDelete struct {
	Certificate string `yaml:"certificate" json:"certificate"` // its ID, or the start of it
}

var certificateDelete = &Kind{
	Name:    "certificate_delete",
	Command: "certificate:delete",
	Summary: "delete a certificate of your own",
	// The link is on the certificate.
	Link:     "#delete",
	Method:   http.MethodDelete,
	Route:    certificateRoute + "/{certificate}",
	Role:     "admin",
	Statuses: []string{statusActive},
	Witness:  Witness{Done: true},
	Confirms: true,

	Destructive: true,
	Arguments:   []Argument{{Name: "id", Required: true}},
	New:         func() Task { return &CertificateDelete{} },
	FromCLI:     func(in Input) (Task, error) { return &CertificateDelete{Certificate: in.Argument("id")}, nil },
}

// Kind implements Task.
func (*CertificateDelete) Kind() *Kind { return certificateDelete }

// Validate implements Task.
func (c *CertificateDelete) Validate() error {
	if c.Certificate == "" {
		return errors.New("certificate is missing: give the certificate's ID, or the start of it")
	}
	return nil
}

// Body implements Task.
func (*CertificateDelete) Body() any { return nil }

func (*CertificateDelete) projectWide() bool { return true }

// prepare finds the certificate as the vendor's CLI does. The platform keeps those that it provisions.
func (c *CertificateDelete) prepare(env *platform.Environment, look Lookup) (platform.Request, error) {
	found, err := c.find(env, look)
	if err != nil {
		return platform.Request{}, err
	}
	var has existingCertificate
	if err := found.Decode(&has); err != nil {
		return platform.Request{}, err
	}
	if has.Provisioned {
		return platform.Request{}, &Refusal{RefusedConflict, fmt.Sprintf("certificate %s is the platform's own, which cannot be deleted", has.ID)}
	}
	return removeFromProject(certificateDelete, env, found.Links)
}

// find looks the certificate up by its ID, or by the start of it. The error is a *Refusal when that is
// nobody's, or several's.
func (c *CertificateDelete) find(env *platform.Environment, look Lookup) (*platform.Resource, error) {
	found, err := look(certificateDelete.Route, c.Certificate)
	if err != nil || found != nil {
		return found, err
	}
	all, err := listCertificates(look)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range all {
		if strings.HasPrefix(e.ID, c.Certificate) {
			ids = append(ids, e.ID)
		}
	}
	switch {
	case len(ids) > 1:
		return nil, &Refusal{RefusedConflict, fmt.Sprintf("%d certificates of project %q have an ID that begins with %q", len(ids), env.Project, c.Certificate)}
	case len(ids) == 1:
		if found, err = look(certificateDelete.Route, ids[0]); err != nil || found != nil {
			return found, err
		}
	}
	return nil, &Refusal{RefusedMissing, fmt.Sprintf("project %q has no certificate %q", env.Project, c.Certificate)}
}

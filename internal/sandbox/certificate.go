package sandbox

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/url"
	"slices"
	"time"
)

// Certificate is a certificate of a project.
type Certificate struct {
	ID          string // default: a new one
	PEM         string
	Provisioned bool // the platform's own, which cannot be deleted
}

// certificate is a certificate with its date.
type certificate struct {
	Certificate
	chain     []string
	createdAt time.Time
}

// AddCertificate gives a project a certificate.
func (s *Sandbox) AddCertificate(project string, cert Certificate) {
	p := s.project(project)
	p.mu.Lock()
	defer p.mu.Unlock()
	if cert.ID == "" {
		cert.ID = s.newID()
	}
	p.certificates = append(p.certificates, &certificate{Certificate: cert, createdAt: s.now()})
}

// Certificates lists a project's certificates, oldest first.
func (s *Sandbox) Certificates(project string) []Certificate {
	var list []Certificate
	s.peek(project, "", func(itself *environment) {
		for _, cert := range itself.project.certificates {
			list = append(list, cert.Certificate)
		}
	})
	return list
}

type newCertificate struct {
	Certificate string   `json:"certificate"`
	Key         string   `json:"key"`
	Chain       []string `json:"chain"`
	IsInvalid   *bool    `json:"is_invalid"`
}

func checkCertificate(body []byte) error {
	var b newCertificate
	if err := decode(body, &b); err != nil {
		return err
	}
	if parsed(b.Certificate) == nil || b.Key == "" {
		return errors.New("certificate and key are required, in PEM")
	}
	return nil
}

// parsed is a certificate in PEM, nil when it is none.
func parsed(text string) *x509.Certificate {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return cert
}

// addCertificate keeps the certificate of a request, and not its key.
func (s *Sandbox) addCertificate(c *call, itself *environment) (any, bool) {
	var b newCertificate
	json.Unmarshal(c.body, &b) // was checked
	p := itself.project
	cert := &certificate{Certificate{ID: s.newID(), PEM: b.Certificate}, b.Chain, c.now}
	p.certificates = append(p.certificates, cert)
	return p.viewCertificate(cert, c.caller), true
}

func (s *Sandbox) deleteCertificate(c *call, itself *environment) (any, bool) {
	p := itself.project
	cert := p.certificate(c)
	switch {
	case cert == nil:
		return nil, false
	case cert.Provisioned:
		c.fail(403, "The certificate is provisioned automatically")
		return nil, false
	}
	p.certificates = slices.DeleteFunc(p.certificates, func(other *certificate) bool { return other == cert })
	return nil, true
}

// certificate returns the certificate of the path. It answers the call when there is none.
func (p *project) certificate(c *call) *certificate {
	for _, cert := range p.certificates {
		if cert.ID == c.PathValue("certificate") {
			return cert
		}
	}
	c.fail(404, "Certificate not found")
	return nil
}

func (s *Sandbox) getCertificate(c *call, p *project) {
	if cert := p.certificate(c); cert != nil {
		c.json(200, p.viewCertificate(cert, c.caller))
	}
}

func (s *Sandbox) listCertificates(c *call, p *project) {
	list := []map[string]any{}
	for _, cert := range p.certificates {
		list = append(list, p.viewCertificate(cert, c.caller))
	}
	c.json(200, list)
}

// viewCertificate is the JSON form, after the OpenAPI description's Certificate.
func (p *project) viewCertificate(cert *certificate, c caller) map[string]any {
	path := p.path + "/certificates/" + url.PathEscape(cert.ID)
	l := links{"self": p.self(path)}
	if c.isAdmin() && !cert.Provisioned {
		l["#delete"] = link{path}
	}
	view := map[string]any{
		"id": cert.ID, "created_at": stamp(cert.createdAt), "updated_at": stamp(cert.createdAt),
		"certificate": cert.PEM, "chain": append([]string{}, cert.chain...), "is_provisioned": cert.Provisioned,
		"is_invalid": false, "is_root": false, "domains": []string{}, "auth_type": []string{"server_auth"},
		"issuer": []any{}, "expires_at": stamp(cert.createdAt.AddDate(0, 3, 0)), "_links": l,
	}
	if x := parsed(cert.PEM); x != nil {
		view["domains"], view["expires_at"] = append([]string{}, x.DNSNames...), stamp(x.NotAfter)
	}
	return view
}

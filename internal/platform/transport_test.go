package platform

import (
	"encoding/pem"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestTransport_TrustsTheCAFile(t *testing.T) {
	api := httptest.NewUnstartedServer(&server{answer: status(202, acceptedBody)})
	api.Config.ErrorLog = log.New(io.Discard, "", 0)
	api.EnableHTTP2 = true
	api.StartTLS()
	defer api.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		file string
		ok   bool
	}{"with it": {file, true}, "without it": {"", false}} {
		transport, err := NewTransport(TransportOptions{CAFile: tt.file})
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, func(o *Options) { o.APIURL, o.AuthURL, o.Transport = api.URL, api.URL, transport })
		if _, err := c.Do(t.Context(), backup); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		transport.CloseIdleConnections()
	}
}

func TestTransport_RefusesACAFileThatIsNone(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".absent"} {
		if _, err := NewTransport(TransportOptions{CAFile: file}); err == nil {
			t.Errorf("%s was taken", file)
		}
	}
}

func TestTransport_KeepsEnoughConnections(t *testing.T) {
	transport, err := NewTransport(TransportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if transport.MaxIdleConnsPerHost < 256 || transport.Proxy == nil || transport.IdleConnTimeout >= 60e9 {
		t.Errorf("%d idle connections, proxy %v, idle for %s", transport.MaxIdleConnsPerHost, transport.Proxy != nil, transport.IdleConnTimeout)
	}
}

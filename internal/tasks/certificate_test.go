package tasks

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/automatond/automatond/internal/platform"
)

// testFile is the absolute path of a file in testdata.
func testFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func contents(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(testFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	certificates   = "/projects/{project}/certificates"
	oneCertificate = certificates + "/{certificate} "
)

func TestCertificateAdd_SendsWhatItsFilesHold(t *testing.T) {
	whole := map[string]string{theProject: `{"_links":{"self":{"href":"https://eu.invalid/api/p"}}}`, certificates: `[{"id":"c1","certificate":"none"}]`}
	for name, task := range map[string]*CertificateAdd{
		"a chain of its own":       {Certificate: "certificate.pem", Key: "key.pem", Chain: []string{"chain.pem"}},
		"a chain behind the first": {Certificate: "fullchain.pem", Key: "key.pem"},
	} {
		task.Certificate, task.Key = testFile(t, task.Certificate), testFile(t, task.Key)
		for i := range task.Chain {
			task.Chain[i] = testFile(t, task.Chain[i])
		}
		r, err := Prepare(task, &platform.Environment{ID: "main", Project: "p"}, resources(whole))
		if err != nil {
			t.Fatal(err)
		}
		var sent keyPair
		if err := json.Unmarshal(r.Body, &sent); err != nil {
			t.Fatal(err)
		}
		key := strings.TrimSpace(contents(t, "key.pem"))
		if r.Method+" "+r.Path != "POST /api/p/certificates" || sent.Certificate != contents(t, "certificate.pem") ||
			strings.Join(sent.Chain, "") != contents(t, "chain.pem") || sent.Key != key {
			t.Errorf("%s: got %s %s %s", name, r.Method, r.Path, r.Body)
		}
		if len(r.Confidential) != 1 || r.Confidential[0] != key {
			t.Errorf("%s: the key is not confidential", name)
		}
	}
}

func TestCertificateAdd_RefusesWhatDoesNotBelongTogether(t *testing.T) {
	own, err := json.Marshal([]map[string]string{{"id": "c1", "certificate": contents(t, "fullchain.pem")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		certificate, key, chain string
		there                   string
		reason, message         string
	}{
		"there already":        {certificate: "certificate.pem", key: "key.pem", there: string(own), reason: "already", message: "as c1"},
		"no certificate":       {certificate: "none.pem", key: "key.pem", reason: "missing", message: "none.pem: no such file"},
		"no key":               {certificate: "certificate.pem", key: "none.pem", reason: "missing", message: "none.pem: no such file"},
		"another's key":        {certificate: "certificate.pem", key: "otherkey.pem", reason: "missing", message: "does not match public key"},
		"a key for a chain":    {certificate: "certificate.pem", key: "key.pem", chain: "otherkey.pem", reason: "missing", message: "block 1 is no certificate"},
		"no chain where it is": {certificate: "certificate.pem", key: "key.pem", chain: "../catalogue.go", reason: "missing", message: "has no certificate"},
		"no project":           {certificate: "certificate.pem", key: "key.pem", there: `[]`, reason: "missing", message: `no project "p"`},
	} {
		task := &CertificateAdd{Certificate: testFile(t, tt.certificate), Key: testFile(t, tt.key)}
		if tt.chain != "" {
			task.Chain = []string{testFile(t, tt.chain)}
		}
		there := map[string]string{}
		if tt.there != "" {
			there[certificates] = tt.there
		}
		_, err := Prepare(task, &platform.Environment{ID: "main", Project: "p"}, resources(there))
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || refusal.Reason != tt.reason || !strings.Contains(refusal.Message, tt.message) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

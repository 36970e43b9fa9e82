package sandbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestContract_AnswersHaveTheDescribedShape holds the answers against the OpenAPI description that
// the vendor publishes. It is not part of the project: a folder beside the checkout may hold it.
func TestContract_AnswersHaveTheDescribedShape(t *testing.T) {
	folder := os.Getenv("AUTOMATOND_VENDOR_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "vendor-data")
	}
	file := filepath.Join(folder, "openapi-upsun.json")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no OpenAPI description to hold the answers against (set AUTOMATOND_VENDOR_DATA to its folder): %v", err)
	}
	description, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, ending := range []Ending{Success, Failure, HookFailure, Cancelled, Staged} {
		o := options()
		o.Users[0].ID = "" // one in the described format is made
		inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
			check := func(path, name string, value any) {
				t.Helper()
				schema := description.Components.Schemas[name].Value
				if err := schema.VisitJSON(withoutHAL(value, schema)); err != nil {
					t.Errorf("%s is not as described: %v", path, err)
				}
			}
			get := func(path, schema string) {
				t.Helper()
				r := v.get(path)
				var value any
				if err := json.Unmarshal([]byte(r.text), &value); err != nil || r.status != 200 {
					t.Errorf("%s: %d %s", path, r.status, r.text)
				}
				check(path, schema, value)
			}
			s.AddDomain("shop", "main", Domain{Name: "shop.example"})
			s.AddDomain("shop", "staging", Domain{Name: "staging.example", ReplacementFor: "shop.example"})
			s.AddCertificate("shop", Certificate{ID: "c1"})
			s.NextResult("", "", ending)
			s.SetEnvironment("shop", "main", func(e *Environment) { e.Size = Size{Profile: "0.5", Instances: 2, Disk: 512} })
			s.SetEnvironment("shop", "staging", func(e *Environment) { e.SourceOperations = []string{"update"} })
			s.SetEnvironment("shop", "feature/x", func(e *Environment) { e.Status = "inactive" })
			r := v.post(staging+"/backup", `{"safe":true}`)
			check("started activity", "Activity", r.object["_embedded"].(map[string]any)["activities"].([]any)[0])
			check("POST backup", "AcceptedResponse", any(r.object))
			for _, parent := range []string{"/projects/shop/environments/main", "/projects/shop"} {
				check("POST "+parent+"/variables", "AcceptedResponse", any(v.post(parent+"/variables", `{"name":"A","value":"b"}`).object))
			}
			me := v.get("/users/me").object["id"].(string)
			for _, wait := range []time.Duration{0, 2 * time.Second, 20 * time.Second} {
				time.Sleep(wait)
				get("/users/me", "User")
				get("/projects/shop/user-access/"+me, "UserProjectAccess")
				get("/projects/shop", "Project")
				get("/organizations/name=sandbox", "Organization")
				get("/projects/shop/environments", "EnvironmentCollection")
				get("/projects/shop/environments/feature%2Fx", "Environment")
				get("/projects/shop/activities", "ActivityCollection")
				get("/projects/shop/activities/"+s.Activities("shop")[0].ID, "Activity")
				get("/projects/shop/environments/main/variables", "EnvironmentVariableCollection")
				get(staging+"/variables/A", "EnvironmentVariable")
				get("/projects/shop/variables", "ProjectVariableCollection")
				get("/projects/shop/variables/A", "ProjectVariable")
				get("/projects/shop/environments/main/deployments/current", "Deployment")
				get("/projects/shop/environments/main/deployments/next", "Deployment")
				get(staging+"/backups", "BackupCollection")
				get(staging+"/tasks", "TaskCollection")
				get(staging+"/source-operations", "EnvironmentSourceOperationCollection")
				get("/projects/shop/domains", "DomainCollection")
				get("/projects/shop/environments/main/domains/shop.example", "Domain")
				get(staging+"/domains", "DomainCollection")
				get("/projects/shop/certificates", "CertificateCollection")
				get("/projects/shop/certificates/c1", "Certificate")
				get(staging+"/autoscaling/settings", "AutoscalerSettings")
				for _, b := range s.Backups("shop", "staging") {
					get(staging+"/backups/"+b.ID, "Backup")
				}
			}
			if (len(s.Backups("shop", "staging")) == 1) != (ending == Success || ending == HookFailure) {
				t.Errorf("%s: backups %v", ending, s.Backups("shop", "staging"))
			}
		})
	}
}

// withoutHAL takes out of a resource, or of each in a list, what the description
// leaves out of all of them but a few.
func withoutHAL(value any, schema *openapi3.Schema) any {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			withoutHAL(item, schema.Items.Value)
		}
	case map[string]any:
		for _, name := range []string{"_links", "_embedded"} {
			if schema.Properties[name] == nil {
				delete(v, name)
			}
		}
	}
	return value
}

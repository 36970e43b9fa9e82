package sandbox

import (
	"testing"
	"time"
)

func TestBackup_ReplacesTheOldestManualOneOverTheQuota(t *testing.T) {
	for _, c := range []struct {
		environment string
		quota, keep int
	}{{"main", 0, 4}, {"staging", 0, 2}, {"main", 1, 1}, {"staging", 3, 3}} {
		o := options()
		o.BackupQuota = c.quota
		inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
			s.AddBackup("shop", c.environment, Backup{ID: "nightly", CreatedAt: time.Now(), Automated: true})
			path := "/projects/shop/environments/" + c.environment
			var made []string
			for range 6 {
				a := v.accepted(path+"/backup", `{"safe":false}`)
				time.Sleep(22 * time.Second)
				a = v.get("/projects/shop/activities/" + a["id"].(string)).object
				made = append(made, a["payload"].(map[string]any)["backup_name"].(string))
			}
			list := v.get(path + "/backups").list
			if len(list) != c.keep+1 || list[0]["id"] != made[5] || list[c.keep]["id"] != "nightly" {
				t.Errorf("%s, quota %d: %d backups, want %d and the automated one", c.environment, c.quota, len(list), c.keep)
			}
			evictions := s.Evictions()
			if len(evictions) != 6-c.keep {
				t.Fatalf("%s, quota %d: %d evictions, want %d", c.environment, c.quota, len(evictions), 6-c.keep)
			}
			for i, e := range evictions {
				if e.Backup != made[i] || e.By != made[i+c.keep] || e.Environment != c.environment || e.Project != "shop" {
					t.Errorf("eviction %d: %+v", i, e)
				}
			}
		})
	}
}

func TestBackup_IsThereWhenItsActivityHasSucceeded(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		s.NextResult("", "", Failure)
		v.accepted(staging+"/backup", `{"safe":true}`)
		time.Sleep(22 * time.Second)
		if e, _ := v.environment(staging); e["last_backup_at"] != nil {
			t.Errorf("last_backup_at %v after a failure, want null", e["last_backup_at"])
		}
		a := v.accepted(staging+"/backup", `{"safe":false}`)
		if list := v.get(staging + "/backups"); list.status != 200 || list.text != "[]" {
			t.Errorf("backups before the end: %s", list.text)
		}
		time.Sleep(22 * time.Second)
		e, _ := v.environment(staging)
		list := v.get(staging + "/backups").list
		if len(list) != 1 || e["last_backup_at"] == nil || e["last_backup_at"] != list[0]["created_at"] {
			t.Fatalf("last_backup_at %v, backups %v", e["last_backup_at"], list)
		}
		one := v.get(staging + "/backups/" + list[0]["id"].(string)).object
		if one["safe"] != false || one["automated"] != false || one["environment"] != "staging" {
			t.Errorf("backup %v", one)
		}
		a = v.get("/projects/shop/activities/" + a["id"].(string)).object
		if a["completed_at"] != one["created_at"] {
			t.Errorf("the activity ended at %v, the backup is of %v", a["completed_at"], one["created_at"])
		}
	})
}

func TestBackup_IsRestoredAndDeleted(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		s.AddBackup("shop", "staging", Backup{ID: "good"})
		s.AddBackup("shop", "staging", Backup{ID: "bad", Unrestorable: true})
		_, hrefs := v.environment(staging + "/backups/good")
		v.accepted(hrefs["#restore"], `{"environment_name":"staging"}`)
		if _, hrefs := v.environment(staging + "/backups/good"); hrefs["#restore"] != "" {
			t.Error("a dirty environment is offered a restore")
		}
		time.Sleep(22 * time.Second)
		if r := v.post(staging+"/backups/bad/restore", ""); r.status != 400 {
			t.Errorf("restore what cannot be restored: %d", r.status)
		}
		if r := v.post(staging+"/backups/none/restore", ""); r.status != 404 {
			t.Errorf("restore what is not there: %d", r.status)
		}
		for _, want := range []int{202, 409, 404} { // deleted; then dirty; then gone
			if r := v.must(v.try("DELETE", staging+"/backups/bad", "")); r.status != want {
				t.Errorf("delete: %d, want %d", r.status, want)
			}
			if want == 409 {
				time.Sleep(22 * time.Second)
			}
		}
		if got := s.Backups("shop", "staging"); len(got) != 1 || got[0].ID != "good" {
			t.Errorf("left are %v", got)
		}
	})
}

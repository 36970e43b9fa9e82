package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// summary is the part of an activity that moves.
func summary(a map[string]any) string {
	word := func(v any) string {
		if v == nil {
			return "-"
		}
		return "+"
	}
	return fmt.Sprintf("%v %v %v%% started%s completed%s cancelled%s", a["state"], a["result"], a["completion_percent"],
		word(a["started_at"]), word(a["completed_at"]), word(a["cancelled_at"]))
}

func TestActivity_MovesWithTime(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		a := v.accepted(staging+"/backup", `{"safe":true}`)
		path := "/projects/shop/activities/" + a["id"].(string)
		at := func(want string) map[string]any {
			t.Helper()
			got := v.get(path).object
			if summary(got) != want {
				t.Errorf("after %s: %s, want %s", time.Since(s.Journal()[0].At), summary(got), want)
			}
			return got
		}
		at("pending <nil> 0% started- completed- cancelled-")
		time.Sleep(2 * time.Second)
		at("in_progress <nil> 0% started+ completed- cancelled-")
		time.Sleep(10 * time.Second)
		at("in_progress <nil> 50% started+ completed- cancelled-")
		time.Sleep(10*time.Second - time.Millisecond)
		if got := at("in_progress <nil> 99% started+ completed- cancelled-"); got["payload"].(map[string]any)["backup_name"] != nil {
			t.Error("the backup has a name before it is made")
		}
		time.Sleep(time.Millisecond)
		got := at("complete success 100% started+ completed+ cancelled-")
		p := got["payload"].(map[string]any)
		if p["user"].(map[string]any)["id"] != "user-1" || got["parameters"].(map[string]any)["user"] != "user-1" {
			t.Errorf("the user is not named: %v, %v", p, got["parameters"])
		}
		if backups := s.Backups("shop", "staging"); len(backups) != 1 || p["backup_name"] != backups[0].ID {
			t.Errorf("backup_name %v, backups %v", p["backup_name"], backups)
		}
		if got["parameters"].(map[string]any)["safe"] != true {
			t.Errorf("parameters %v, want the request's among them", got["parameters"])
		}
	})
}

func TestActivity_EndsAsScripted(t *testing.T) {
	for ending, want := range map[Ending]string{
		Success:     "complete success 100% started+ completed+ cancelled-",
		Failure:     "complete failure 100% started+ completed+ cancelled-",
		HookFailure: "complete success 100% started+ completed+ cancelled-",
		Cancelled:   "cancelled failure 50% started+ completed+ cancelled+",
		Staged:      "staged <nil> 0% started+ completed- cancelled-",
	} {
		inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
			s.NextResult("shop", "main", Failure) // not for this environment
			s.NextResult("", "staging", ending)
			a := v.accepted(staging+"/pause", "")
			time.Sleep(22 * time.Second)
			got := v.get("/projects/shop/activities/" + a["id"].(string)).object
			if summary(got) != want {
				t.Errorf("%s: %s, want %s", ending, summary(got), want)
			}
			if failed := len(got["commands"].([]any)) > 0; failed != (ending == HookFailure) {
				t.Errorf("%s: commands %v", ending, got["commands"])
			}
			e, _ := v.environment(staging)
			if paused := e["status"] == "paused"; paused != (ending == Success || ending == HookFailure) {
				t.Errorf("%s: the environment is %v", ending, e["status"])
			}
			if e["has_staged_activities"] != (ending == Staged) {
				t.Errorf("%s: has_staged_activities %v", ending, e["has_staged_activities"])
			}
			s.SetEnvironment("shop", "staging", func(e *Environment) { e.Status = "active" })
			b := v.accepted(staging+"/backup", "")
			time.Sleep(22 * time.Second)
			if got := v.get("/projects/shop/activities/" + b["id"].(string)).object; got["result"] != "success" {
				t.Errorf("%s: the next activity ended %v", ending, got["result"])
			}
		})
	}
}

func TestActivity_WaitsForTheOneBefore(t *testing.T) {
	o := options()
	o.WithoutLink = Queue
	inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
		start := time.Now()
		v.accepted(staging+"/redeploy", "")
		v.accepted(staging+"/redeploy", "")
		v.accepted("/projects/shop/environments/main/redeploy", "")
		time.Sleep(time.Minute)
		var got []string
		for _, a := range s.Activities("shop") {
			got = append(got, fmt.Sprintf("%s %.0f-%.0f", a.Environment, a.StartedAt.Sub(start).Seconds(), a.CompletedAt.Sub(start).Seconds()))
		}
		if want := "main 2-22, staging 22-42, staging 2-22"; strings.Join(got, ", ") != want {
			t.Errorf("activities ran %v, want %s", got, want)
		}
	})
}

func TestActivity_CanBeCancelledUntilItIsOver(t *testing.T) {
	o := options()
	o.WithoutLink = Queue
	inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
		var ids []string
		for range 4 {
			ids = append(ids, v.accepted(staging+"/backup", "")["id"].(string))
		}
		cancel := func(id string) reply { return v.post(staging+"/activities/"+id+"/cancel", "") }
		time.Sleep(12 * time.Second)
		if r := cancel(ids[1]); r.status != 202 { // pending
			t.Fatalf("cancel: %d %s", r.status, r.text)
		}
		if r := cancel(ids[0]); r.status != 202 { // half done
			t.Fatalf("cancel: %d %s", r.status, r.text)
		}
		time.Sleep(20 * time.Second) // the third moved up
		want := []string{
			"cancelled failure 50% started+ completed+ cancelled+",
			"cancelled failure 0% started- completed- cancelled+",
			"complete success 100% started+ completed+ cancelled-",
			"in_progress <nil> 0% started+ completed- cancelled-",
		}
		for i, id := range ids {
			if got := summary(v.get("/projects/shop/activities/" + id).object); got != want[i] {
				t.Errorf("activity %d: %s, want %s", i, got, want[i])
			}
		}
		if got := len(s.Backups("shop", "staging")); got != 1 {
			t.Errorf("%d backups, want the one that was not cancelled", got)
		}
		if r := cancel(ids[2]); r.status != 400 || !strings.Contains(r.text, "cannot be cancelled") {
			t.Errorf("cancel what is over: %d %s", r.status, r.text)
		}
		s.SetRole("user-1", "viewer")
		if r := cancel(ids[3]); r.status != 403 {
			t.Errorf("cancel as a viewer: %d", r.status)
		}
	})
}

func TestActivities_AreListedNewestFirstAndFiltered(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		var cursor string
		for i := range 12 {
			environment := []string{"main", "staging"}[i%2]
			kind := []string{"/backup", "/backup", "/redeploy"}[i%3]
			if i == 8 {
				s.NextResult("", "", Failure)
			}
			a := v.accepted("/projects/shop/environments/"+environment+kind, "")
			if i == 4 {
				cursor = a["created_at"].(string)
			}
			if i < 11 {
				time.Sleep(30 * time.Second)
			}
		}
		for query, want := range map[string]int{
			"":                                     10, // nobody asked for more
			"?count=100":                           12,
			"?count=3":                             3,
			"?count=0":                             0,
			"?count=100&type=environment.redeploy": 4,
			"?count=100&type=environment.redeploy&type=environment.backup":   12,
			"?count=100&state=pending":                                       1,
			"?count=100&state=pending&state=complete":                        12,
			"?count=100&result=failure":                                      1,
			"?count=100&starts_at=" + strings.ReplaceAll(cursor, "+", "%2B"): 5,
		} {
			list := v.get("/projects/shop/activities" + query).list
			if len(list) != want {
				t.Errorf("%q: %d activities, want %d", query, len(list), want)
			}
			for i := 1; i < len(list); i++ {
				if list[i]["created_at"].(string) >= list[i-1]["created_at"].(string) {
					t.Errorf("%q: number %d is not older than the one before", query, i)
				}
			}
		}
		if got := len(v.get(staging + "/activities?count=100").list); got != 6 {
			t.Errorf("%d activities of staging, want 6", got)
		}
		ofMain := s.Activities("shop")[1].ID // the last one was of staging
		for environment, want := range map[string]int{"main": 200, "staging": 404} {
			if r := v.get("/projects/shop/environments/" + environment + "/activities/" + ofMain); r.status != want {
				t.Errorf("activity of main under %s: %d, want %d", environment, r.status, want)
			}
		}
		for _, query := range []string{"?count=many", "?starts_at=yesterday"} {
			if r := v.get("/projects/shop/activities" + query); r.status != 400 {
				t.Errorf("%q: %d, want 400", query, r.status)
			}
		}
	})
}

func TestActivities_OfOneMomentHaveDifferentTimes(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		seen := map[string]bool{}
		for _, e := range []string{"main", "staging", "feature%2Fx"} {
			seen[v.accepted("/projects/shop/environments/"+e+"/backup", "")["created_at"].(string)] = true
		}
		if len(seen) != 3 {
			t.Errorf("three activities have the times %v", seen)
		}
	})
}

func TestActivity_MayHaveNoTimeOfCreationYet(t *testing.T) {
	o := options()
	o.NullCreatedAt = true
	inBubble(t, o, func(t *testing.T, s *Sandbox, v *visitor) {
		a := v.accepted(staging+"/backup", "")
		if a["created_at"] != nil {
			t.Errorf("created_at %v while pending, want null", a["created_at"])
		}
		time.Sleep(2 * time.Second)
		if got := v.get("/projects/shop/activities/" + a["id"].(string)).object["created_at"]; got == nil {
			t.Error("created_at is null in progress")
		}
	})
}

func TestActivity_OfOthersMakesTheEnvironmentDirty(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		id := s.StartActivity("shop", "staging", "environment.backup", "somebody")
		if r := v.post(staging+"/redeploy", ""); r.status != 409 {
			t.Errorf("redeploy meanwhile: %d, want 409", r.status)
		}
		time.Sleep(22 * time.Second)
		a := v.get("/projects/shop/activities/" + id).object
		if a["payload"].(map[string]any)["user"].(map[string]any)["id"] != "somebody" {
			t.Errorf("payload %v", a["payload"])
		}
		if got := len(s.Backups("shop", "staging")); got != 1 {
			t.Errorf("%d backups, want 1", got)
		}
		if got := s.StartActivity("shop", "none", "environment.backup", "somebody"); got != "" {
			t.Errorf("activity %q in an environment that does not exist", got)
		}
	})
}

func TestActivity_LogIsSealedAtTheEnd(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		a := v.accepted(staging+"/backup", "")
		href := a["_links"].(map[string]any)["log"].(map[string]any)["href"].(string)
		if got := v.get(href); got.status != 200 || strings.Contains(got.text, `"seal":true`) {
			t.Errorf("log at the start: %d %s", got.status, got.text)
		}
		time.Sleep(22 * time.Second)
		if got := v.get(href); !strings.Contains(got.text, `"seal":true`) {
			t.Errorf("log at the end: %s", got.text)
		}
	})
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/doctor"
	"github.com/automatond/automatond/internal/sandbox"
)

// ailing is an installation with twelve faults: see the test.
const ailing = `
automation_users:
    shop-bot: {token_env: SHOP_TOKEN}
    revoked-bot: {token_env: REVOKED_TOKEN}
    empty-bot: {token_file: ./empty}
    busy-bot: {token_env: BUSY_TOKEN}
    twin-a: {token_env: TWIN_A_TOKEN}
    twin-b: {token_env: TWIN_B_TOKEN}
    weak-bot: {token_env: WEAK_TOKEN}
    chief-bot: {token_env: CHIEF_TOKEN}
    stranger-bot: {token_env: STRANGER_TOKEN}
    lost-bot: {token_env: LOST_TOKEN}
projects:
    shop: {id: shopid, automation_user: shop-bot}
    revoked: {id: revokedid, automation_user: revoked-bot}
    empty: {id: emptyid, automation_user: empty-bot}
    busy-1: {id: busy1id, automation_user: busy-bot}
    busy-2: {id: busy2id, automation_user: busy-bot}
    twin-a: {id: twinaid, automation_user: twin-a}
    twin-b: {id: twinbid, automation_user: twin-b}
    weak: {id: weakid, automation_user: weak-bot}
    chief: {id: chiefid, automation_user: chief-bot}
    strange: {id: strangeid, automation_user: stranger-bot}
    lost: {id: nowhereid, automation_user: lost-bot}
crons:
    nightly:
        spec: 'H 2 * * *'
        only: {environment_types: [production]}
        task: {backup: {}}
    releases:
        spec: '0 3 * * *'
        projects: [shop]
        only: {branches: ['release/*']}
        task: {redeploy: {}}
    warm-up:
        spec: '0 4 * * *'
        projects: [shop]
        only: {branches: [main]}
        task: {operation: {operation: warm-up}}
`

// newAiling sets the platform up for it.
func newAiling(t *testing.T) *site {
	t.Helper()
	o := sandbox.Options{ClockSkew: 2 * time.Minute}
	for _, id := range []string{"shopid", "revokedid", "emptyid", "busy1id", "busy2id", "twinaid", "twinbid", "weakid", "chiefid", "strangeid"} {
		o.Projects = append(o.Projects, sandbox.Project{ID: id})
	}
	s := newSite(t, o, ailing)
	const fitting = "viewer production:admin"
	for _, u := range []sandbox.User{
		{Name: "shop", Role: fitting}, {Name: "revoked", Role: fitting}, {Name: "busy", Role: fitting},
		{Name: "twin_a", ID: "twins", Role: fitting}, {Name: "twin_b", ID: "twins", Role: fitting},
		{Name: "weak", Role: "viewer staging:admin"}, {Name: "chief", Role: "admin"},
		{Name: "stranger", Role: fitting, Projects: []string{"shopid"}}, {Name: "lost", Role: fitting},
	} {
		u.Token = apiToken + u.Name
		s.server.AddToken(u)
		s.env = append(s.env, strings.ToUpper(u.Name)+"_TOKEN="+u.Token)
	}
	s.server.SetRole(apiToken+"weak", "viewer production:contributor")
	s.server.RevokeToken(apiToken + "revoked")
	s.write("empty", "\n")
	if err := os.MkdirAll(s.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.data(), "ledger.db"), []byte("this is no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDoctor_NamesTwelveFaultsAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newAiling(t)
	want := []struct{ check, status, says string }{
		{"store", "failed", "ledger.db is not sound"},
		{"clock", "failed", "this machine's clock is "},
		{"token", "failed", `automation user "revoked-bot"`},
		{"token", "failed", `automation user "empty-bot"`},
		{"account", "warning", `automation user "busy-bot" has one token for 2 projects: busy-1, busy-2`},
		{"account", "warning", `automation users "twin-a" and "twin-b" are one account`},
		{"project", "failed", `project strange cannot be read by automation user "stranger-bot"`},
		{"project", "failed", `project lost cannot be read by automation user "lost-bot"`},
		{"targets", "warning", `cron "releases" has no environment to run for`},
		{"task", "failed", `project shop, cron "warm-up": environment "main" has no operation "warm-up"`},
		{"role", "failed", `project weak: automation user "weak-bot" is contributor on production environments, and admin is wanted: backup (cron "nightly")`},
		{"privilege", "warning", `project chief: automation user "chief-bot" is administrator of the project, and no cron needs that`},
	}
	stdout, stderr, code := s.command("doctor", "-o", "json")
	if code != exitRejected || stderr != "" {
		t.Errorf("exit status %d, stderr %q; want %d and none", code, stderr, exitRejected)
	}
	var findings, wrong []doctor.Finding
	if err := json.Unmarshal([]byte(stdout), &findings); err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Status != doctor.OK {
			wrong = append(wrong, f)
		}
	}
	for i, w := range want {
		if i >= len(wrong) {
			t.Errorf("finding %d is missing: %v", i, w)
			continue
		}
		if got := wrong[i]; got.Check != w.check || string(got.Status) != w.status || !strings.Contains(got.Message, w.says) {
			t.Errorf("finding %d is %+v, want %v", i, got, w)
		}
	}
	for _, f := range wrong { // all but what is about the machine have their entry in the file
		if ofMachine := f.Check == doctor.CheckStore || f.Check == doctor.CheckClock; ofMachine != (f.Place() == "") {
			t.Errorf("%s: its place is %q", f.Message, f.Place())
		}
	}
	if hint := wrong[3].Hint; !strings.HasPrefix(hint, "write the API token of the account to the file ") {
		t.Errorf("of the empty file it hints %q", hint)
	}
	if place := wrong[len(wrong)-1].Place(); place != "automatond.yaml:22:5: " {
		t.Errorf("the chief's rights are at fault at %q", place)
	}
	for _, f := range wrong[min(len(want), len(wrong)):] {
		t.Errorf("it also says %+v", f)
	}
	for _, post := range s.server.Posts("") {
		if post.Path != "/oauth2/token" {
			t.Errorf("it sent %s %s", post.Method, post.Path)
		}
	}
}

// TestDoctor_SaysOfManyProjectsInOneLineWhatIsAlike holds the report of a fleet, which nobody reads by the
// thousand lines.
func TestDoctor_SaysOfManyProjectsInOneLineWhatIsAlike(t *testing.T) {
	var text, line strings.Builder
	r := newReport(&text, &line, "")
	for i := range 5000 {
		name := fmt.Sprint("shop-", i)
		message := fmt.Sprintf("project %s: automation user %q is administrator", name, name+"-bot")
		r.add(doctor.Finding{Check: "project", Status: doctor.OK, Message: fmt.Sprintf("project %s can be read, with %d environments", name, i), Project: name})
		r.add(doctor.Finding{Check: "privilege", Status: doctor.Warning, Message: message, Hint: "less", Project: name, User: name + "-bot"})
		if i%2000 == 0 {
			r.add(doctor.Finding{Check: "role", Status: doctor.Failed, Message: "project " + name + ": nobody", Project: name})
		}
	}
	r.progress.show(1, 5000)
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	const want = `ok       project        project shop-0 can be read, with 0 environments; 4999 other projects are ok too
warning  privilege      project shop-0: automation user "shop-0-bot" is administrator; likewise shop-1, shop-2, shop-3, shop-4, shop-5 and 4994 more
                        hint: less
failed   role           project shop-0: nobody
failed   role           project shop-2000: nobody
failed   role           project shop-4000: nobody

3 failed, 5000 warnings, 5000 ok
`
	if diff := cmp.Diff(want, text.String()); diff != "" || line.String() != "" {
		t.Errorf("where nobody looks: %q; report (-want +got):\n%s", line.String(), diff)
	}
}

// TestCheck_LiveHoldsCronsAgainstThePlatform leaves out what is not the crons' affair: clock, store,
// and rights that are too many.
func TestCheck_LiveHoldsCronsAgainstThePlatform(t *testing.T) {
	t.Parallel()
	s := newAiling(t)
	stdout, stderr, code := s.command("check", "--live", "-o", "json")
	if code != exitRejected || stderr != "" {
		t.Errorf("exit status %d, stderr %q; want %d and none", code, stderr, exitRejected)
	}
	var report checkReport
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, d := range report.Diagnostics {
		if d.Severity != config.Info {
			codes = append(codes, d.Code+" "+string(d.Severity))
			if d.Line == 0 {
				t.Errorf("%s has no place", d)
			}
		}
	}
	want := []string{
		"live-token error", "live-token error", "live-project error", "live-project error",
		"live-targets warning", "live-task error", "live-role error",
	}
	if diff := cmp.Diff(want, codes); diff != "" || report.Valid {
		t.Errorf("valid %v, diagnostics (-want +got):\n%s", report.Valid, diff)
	}
}

func TestDoctor_ExaminesTheOthersWhereATokenIsMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true}, `
automation_users: {unset: {token_env: NOT_SET}, moved: {token_file: ./moved}, present: {token_env: PLATFORMSH_CLI_TOKEN}}
projects: {a: {id: aid, automation_user: unset}, b: {id: bid, automation_user: moved}, c: {id: cid, automation_user: present}}
crons: {warm-up: {spec: '0 5 * * *', only: {branches: [main]}, task: {task_run: {task: warm-up}}}}
`)
	s.server.SetRole(apiToken, "viewer production:admin")
	s.failing(exitInvalid, "variable NOT_SET is not set", "run")
	stdout, _, code := s.command("doctor")
	if code != exitFailed || !strings.Contains(stdout, "3 failed, 0 warnings") {
		t.Errorf("exit status %d, want %d and three faults", code, exitFailed)
	}
	for _, fault := range []string{`automation user "unset": `, "variable NOT_SET is empty; not examined: project a",
		`automation user "moved": `, "moved: no such file or directory; not examined: project b", `has no task "warm-up"`} {
		if !strings.Contains(stdout, fault) {
			t.Errorf("%q is not in\n%s", fault, stdout)
		}
	}
}

func TestDoctor_ExitStatusSaysHowBadItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true}, "projects: {shop: {id: shopid}}\n"+
		"crons: {backup: {spec: '0 5 * * *', only: {branches: [main]}, task: {backup: {}}}}\n")
	for _, c := range []struct {
		role string
		args []string
		code int
	}{
		{"viewer production:admin", []string{"doctor", "--strict"}, 0},
		{"viewer production:admin", []string{"check", "--live", "--strict"}, 0},
		{"admin", []string{"doctor"}, 0},
		{"admin", []string{"doctor", "--strict"}, exitWarnings},
		{"admin", []string{"check", "--live", "--strict"}, 0},
		{"viewer", []string{"doctor"}, exitFailed},
		{"viewer", []string{"check", "--live"}, exitInvalid},
		{"viewer", []string{"check"}, 0},
	} {
		s.server.SetRole(apiToken, c.role)
		if stdout, stderr, code := s.command(c.args...); code != c.code || stderr != "" {
			t.Errorf("%s, %q: exit status %d, want %d\n%s%s", c.role, c.args, code, c.code, stdout, stderr)
		}
	}
	s.write("automatond.yaml", "crons: {backup: {spec: '60 5 * * *', task: {backup: {}}}}\n")
	s.failing(exitInvalid, "minute 60 is out of range", "doctor")
}

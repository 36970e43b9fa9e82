package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

// otherToken is the API token of a second automation user.
const otherToken = "another-token-that-must-never-be-seen"

// twoUsers has two projects with a user each, and three crons that are due together on both of them.
const twoUsers = `
api: {url: http://sandbox.test, auth_url: http://sandbox.test}
automation_users: {bot: {token_env: TOKEN}, other-bot: {token_file: ./other}}
projects: {shop: {id: shopid, automation_user: bot}, blog: {id: blogid, automation_user: other-bot}}
crons:
  main: {spec: '*/5 * * * *', only: {branches: [main]}, task: {redeploy: {}}}
  staging: {spec: '*/5 * * * *', only: {branches: [staging]}, task: {redeploy: {}}}
  develop: {spec: '*/5 * * * *', only: {branches: [develop]}, task: {redeploy: {}}}
`

// inTwoUsers is inWorld with them.
func inTwoUsers(t *testing.T, body func(*world)) {
	t.Helper()
	inWorld(t, shop+backup, func(w *world) {
		w.sandbox.AddToken(sandbox.User{Token: otherToken, ID: "other-id", Name: "other"})
		w.must(os.WriteFile(filepath.Join(w.dir, "other"), []byte(otherToken), 0o600))
		w.must(os.WriteFile(w.app.Paths[0], []byte(twoUsers), 0o600))
		_, err := w.app.reload(context.Background())
		w.must(err)
		body(w)
	})
}

// listings counts how often a project's environments were listed.
func (w *world) listings(project string) int {
	n := 0
	for _, e := range w.sandbox.Journal() {
		if e.Method == "GET" && strings.HasSuffix(e.Path, "/projects/"+project+"/environments") {
			n++
		}
	}
	return n
}

// ended lists how a project's fires ended that were due then, "15:04", in the order of their crons.
func (w *world) ended(project, due string) string {
	w.t.Helper()
	fires, err := w.app.store.Fires(context.Background(), ledger.Filter{Limit: 1 << 20})
	w.must(err)
	var list []string
	for _, f := range fires {
		if f.Project == project && f.ScheduledAt.Format("15:04") == due {
			list = append(list, fmt.Sprintf("%s %s/%s", f.Cron, f.Outcome, f.Reason))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func TestApp_CronsThatAreDueTogetherShareOneListing(t *testing.T) {
	inTwoUsers(t, func(w *world) {
		for fire := range 3 {
			w.wait(period)
			for _, project := range []string{"shopid", "blogid"} {
				if got := w.listings(project); got != fire+1 {
					t.Errorf("the environments of %s were listed %d times for %d fires of three crons", project, got, fire+1)
				}
			}
		}
		w.wait(time.Minute)
	})
}

func TestApp_RejectedTokenIsTheAffairOfItsProjectsAlone(t *testing.T) {
	inTwoUsers(t, func(w *world) {
		w.wait(period + time.Minute)
		w.sandbox.RevokeToken(otherToken)
		w.sandbox.ExpireAccessTokens()
		w.wait(period)
		const fine = "develop succeeded/, main succeeded/, staging succeeded/"
		for _, tt := range []struct{ project, due, want string }{
			{"shopid", "00:05", fine}, {"blogid", "00:05", fine}, {"shopid", "00:10", fine},
			{"blogid", "00:10", "develop failed/auth, main failed/auth, staging failed/auth"},
		} {
			if got := w.ended(tt.project, tt.due); got != tt.want {
				t.Errorf("%s at %s: %s, want %s", tt.project, tt.due, got, tt.want)
			}
		}
		for series, want := range map[string]float64{
			"automatond_token_valid user=bot": 1, "automatond_token_valid user=other-bot": 0,
			"automatond_auth_failures_total user=bot": 0, "automatond_auth_failures_total user=other-bot": 1,
		} {
			name, label, _ := strings.Cut(series, " ")
			if got := w.metric(name, label); got != want {
				t.Errorf("%s is %v, want %v", series, got, want)
			}
		}
		w.logged("API token rejected", `"user":"other-bot"`)
		if strings.Contains(w.logs.String(), otherToken) {
			t.Error("the API token is in the log")
		}
	})
}

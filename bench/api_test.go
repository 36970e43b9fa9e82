package main

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/platform"
	"github.com/automatond/automatond/internal/secret"
	"github.com/automatond/automatond/internal/tasks"
)

// The daemon's own client must understand every answer, or the daemon would be measured doing
// something else.
func TestAPI_SpeaksAsThePlatform(t *testing.T) {
	a, err := startAPI()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	at := time.Now()
	r := newRound([]string{"p00000", "p00001"}, at, nil)
	a.load(r)
	client, err := platform.New(platform.Options{APIURL: a.URL, AuthURL: a.URL, Token: secret.FromEnv("T", apiToken)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()

	if p, err := client.Project(ctx, "p00001"); err != nil || p.DefaultBranch != "main" {
		t.Fatalf("got project %+v, %v", p, err)
	}
	environments, err := client.Environments(ctx, "p00001")
	if err != nil || len(environments) != 1 {
		t.Fatalf("got environments %v, %v; want one", environments, err)
	}
	backup, ok := tasks.ByName("backup")
	if !ok {
		t.Fatal("the catalogue has no backup")
	}
	request, err := tasks.Prepare(backup.New(), environments[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := client.Activities(ctx, "p00001", "", platform.ActivityQuery{MaxPages: 3}); err != nil || len(got) != 0 {
		t.Errorf("got activities %v, %v before the request; want none", got, err)
	}
	accepted, err := client.Do(ctx, request)
	if err != nil || len(accepted.Started) != 1 || accepted.Started[0].State != "pending" {
		t.Fatalf("got answer %+v, %v; want one activity that is pending", accepted, err)
	}
	id := accepted.Started[0].ID
	listed, err := client.Activities(ctx, "p00001", "", platform.ActivityQuery{MaxPages: 3})
	if err != nil || len(listed) != 1 || listed[0].ID != id || !listed[0].Done() || listed[0].Result != "success" {
		t.Errorf("got activities %+v, %v; want %s, over and successful", listed, err, id)
	}
	if one, err := client.Activity(ctx, "p00001", id); err != nil || one.ID != id || !one.Done() {
		t.Errorf("got activity %+v, %v; want %s, over", one, err, id)
	}
	if backups, err := client.Backups(ctx, "p00001", "main"); err != nil || len(backups) != 0 {
		t.Errorf("got backups %v, %v; want none", backups, err)
	}
	if me, err := client.Me(ctx); err != nil || me.ID != "bench-user" {
		t.Errorf("got user %+v, %v", me, err)
	}

	if r.arrived.Load() != 1 || r.listed.Load() != 1 || r.followed.Load() != 1 {
		t.Errorf("counted %d POSTs, %d listed and %d followed projects, want one each",
			r.arrived.Load(), r.listed.Load(), r.followed.Load())
	}
	if err := r.promise(); err != nil {
		t.Error(err)
	}
}

func TestAPI_CountsWhatBreaksThePromise(t *testing.T) {
	a, err := startAPI()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, c := range []struct{ name, path, body string }{
		{"wrong body", "/projects/p00000/environments/main/backup", `{"safe":false}`},
		{"no body", "/projects/p00000/environments/main/backup", ""},
		{"wrong path", "/projects/p00000/environments/main/backups", backupBody},
	} {
		r := newRound([]string{"p00000"}, time.Now(), nil)
		a.load(r)
		if err := send(http.DefaultClient, http.MethodPost, a.URL+c.path, c.body); err == nil {
			t.Errorf("%s: the request was accepted", c.name)
		}
		var broken *brokenPromise
		if err := r.promise(); !errors.As(err, &broken) || r.arrived.Load() != 0 {
			t.Errorf("%s: got %v with %d POSTs counted, want a broken promise", c.name, err, r.arrived.Load())
		}
	}
	r := newRound([]string{"p00000"}, time.Now(), nil)
	a.load(r)
	for range 2 {
		if err := send(http.DefaultClient, http.MethodPost, a.URL+"/api/projects/p00000/environments/main/backup", `{"safe": true}`); err != nil {
			t.Fatal(err)
		}
	}
	if r.promise() == nil || r.repeated.Load() != 1 {
		t.Error("a second POST for one project was not noticed")
	}
}

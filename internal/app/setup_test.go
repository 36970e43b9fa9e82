package app

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

func TestReload_TakesAUsersBoundForItsProjects(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		if _, most := w.app.owner("shopid"); most != 0 {
			t.Errorf("at most %d requests of a user without a bound", most)
		}
		bounded := strings.Replace(preamble, "{token_env: TOKEN}", "{token_env: TOKEN, max_in_flight: 3}", 1)
		w.must(os.WriteFile(w.app.Paths[0], []byte(bounded+shop+backup), 0o600))
		if _, err := w.app.reload(context.Background()); err != nil {
			t.Fatal(err)
		}
		if user, most := w.app.owner("shopid"); user != "bot" || most != 3 {
			t.Errorf("at most %d requests of %q, want 3 of bot", most, user)
		}
		w.wait(period + time.Minute)
		w.want(1, "backup 00:05 succeeded/")
	})
}

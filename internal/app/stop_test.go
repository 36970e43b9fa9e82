package app

import (
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
)

func TestRun_StopsWhileTheTokenEndpointDoesNotAnswer(t *testing.T) {
	inWorld(t, shop+backup, func(w *world) {
		w.down()
		w.sandbox.Inject(sandbox.Fault{PathSuffix: "/oauth2/token", Latency: time.Minute})
		w.start()
		w.wait(time.Second)
		began := time.Now()
		w.down()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s to stop", took)
		}
		w.start()
		w.wait(time.Minute) // the exchange ends by itself, whoever asked for it
	})
}

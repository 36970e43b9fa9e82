package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/automatond/automatond/internal/web"
)

// tickLimit is how long the scheduler's loop may be silent. Its timer is never longer than 30 s.
const tickLimit = 90 * time.Second

// listen opens the ports.
func (a *app) listen() error {
	server, err := web.New(web.Options{
		ListenAddress: a.Web.ListenAddress, ConfigFile: a.Web.ConfigFile, ProbeAddress: a.Web.ProbeAddress,
		Gatherer: a.registry, Registry: a.registry,
		Healthy: a.healthy, Ready: a.writable, Page: a.page, Logger: a.Logger,
	})
	a.web = server
	return err
}

func (a *app) isReady() bool {
	select {
	case <-a.ready:
		return true
	default:
		return false
	}
}

func (a *app) healthy() error {
	if !a.isReady() {
		return nil // starting, or waiting for the data directory: a restart would not help
	}
	if silent := time.Since(a.scheduler.LastTick()); silent > tickLimit {
		return fmt.Errorf("the scheduler's loop has not ticked for %s", silent.Round(time.Second))
	}
	return nil
}

func (a *app) writable(ctx context.Context) error {
	if !a.isReady() {
		return errors.New("starting: the store is not open yet")
	}
	return a.store.Writable(ctx)
}

func (a *app) page() web.Page {
	page := web.Page{Version: a.Version.Version, Started: a.started}
	if a.Sandbox {
		page.Notices = append(page.Notices, "Sandbox: the platform is simulated, nothing is backed up.")
	}
	if a.Observe {
		page.Notices = append(page.Notices, "Observing: decisions are recorded, nothing is sent.")
	}
	a.swapping.RLock()
	defer a.swapping.RUnlock()
	now := time.Now()
	for _, j := range a.current.Load().config.Jobs {
		row := web.CronRow{Name: j.Name, Spec: j.Spec.String(), Timezone: j.Location.String()}
		switch why := a.suspensions.why(j.Name, now); {
		case j.Left != nil:
			row.Note = "left to the app container"
		case j.Suspended:
			row.Note = "suspended"
		case a.isReady() && why != "":
			row.Note = why
		case a.isReady():
			row.Next = a.scheduler.Next(j)
		default:
			row.Note = "starting"
		}
		page.Crons = append(page.Crons, row)
	}
	return page
}

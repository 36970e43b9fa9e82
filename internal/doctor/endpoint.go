package doctor

import (
	"context"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

// How far the clocks may be apart. A spec has minutes, so from one minute on crons fire in another one
// than is meant.
const (
	noticeable = 5 * time.Second
	harmful    = time.Minute
)

// examineEndpoints asks both endpoints for any answer, and reports whether the rest can be examined.
func (e *examination) examineEndpoints(ctx context.Context) bool {
	client := e.Clients[e.Config.Users[0].Name] // all of them ask the same endpoints
	api := e.examineEndpoint(CheckAPI, "api.url", e.Config.APIURL, client.ReachAPI(ctx))
	auth := e.examineEndpoint(CheckAuth, "api.auth_url", e.Config.AuthURL, client.ReachAuth(ctx))
	if api {
		e.examineClock(client)
	}
	return api && auth
}

func (e *examination) examineEndpoint(check, key, url string, err error) bool {
	if err != nil {
		e.fail(check, "look at "+key+", at the proxy variables, and at the platform's status page", "%s does not answer: %v", url, err)
		return false
	}
	e.ok(check, "%s answers", url)
	return true
}

func (e *examination) examineClock(client *platform.Client) {
	const hint = "let NTP set this machine's clock"
	offset := client.ClockOffset().Round(time.Second)
	side := "behind"
	if offset < 0 {
		side = "ahead of"
	}
	switch apart := offset.Abs(); {
	case apart >= harmful:
		e.fail(CheckClock, hint, "this machine's clock is %s %s the platform's: crons fire in another minute than is meant", apart, side)
	case apart >= noticeable:
		e.warn(CheckClock, hint, "this machine's clock is %s %s the platform's", apart, side)
	default:
		e.ok(CheckClock, "this machine's clock is the platform's")
	}
}

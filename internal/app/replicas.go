package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/automatond/automatond/internal/ledger"
)

// heedEvery is how often a replica reads what the others have written: so much later than the one
// that was asked does it suspend.
const heedEvery = 2 * time.Second

// shared reports whether replicas may work on the same store.
func (a *app) shared() bool { return a.Store != "" }

// heedReplicas follows what other replicas leave in a shared store for this one: suspensions, and the
// configurations that they work with.
func (a *app) heedReplicas(ctx context.Context) error {
	if !a.shared() || a.aside {
		return nil
	}
	ticker := time.NewTicker(heedEvery)
	defer ticker.Stop()
	var warned []string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := a.suspensions.load(ctx, a.store); err != nil && ctx.Err() == nil {
			a.Logger.Warn().Err(err).Msg("suspensions not read, the ones known stay in force")
		}
		if live, err := a.store.Replicas(ctx); err == nil {
			warned = a.warnOfOthers(live, warned)
		}
	}
}

// warnOfOthers warns of replicas with another configuration than this one's, once for each time that
// this changes, and returns what it has compared.
func (a *app) warnOfOthers(live []ledger.Replica, warned []string) []string {
	var hosts, compared []string
	own := a.current.Load().config.Hash
	for _, r := range a.others(live) {
		hosts = append(hosts, r.Host)
		compared = append(compared, own+r.ConfigHash+r.ID)
	}
	if len(hosts) > 0 && !slices.Equal(compared, warned) {
		a.Logger.Warn().Str("hosts", strings.Join(hosts, " ")).
			Msg("replicas have another configuration: whichever claims a scheduled time acts by its own")
	}
	return compared
}

// others are the replicas with another configuration than this one's.
func (a *app) others(live []ledger.Replica) []ledger.Replica {
	own := a.current.Load().config.Hash
	return slices.DeleteFunc(slices.Clone(live), func(r ledger.Replica) bool { return r.ConfigHash == own })
}

var (
	replicasDesc = prometheus.NewDesc("automatond_replicas",
		"Replicas whose lease is valid, this one included.", nil, nil)
	mismatchDesc = prometheus.NewDesc("automatond_replicas_config_mismatch",
		"Replicas whose lease is valid and whose configuration is not this one's.", nil, nil)
)

// replicaMetrics count the replicas at each scrape. A store that does not answer counts none.
type replicaMetrics struct{ app *app }

func newReplicaMetrics(a *app) replicaMetrics { return replicaMetrics{a} }

// Describe implements prometheus.Collector.
func (m replicaMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- replicasDesc
	ch <- mismatchDesc
}

// Collect implements prometheus.Collector.
func (m replicaMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	live, _ := m.app.store.Replicas(ctx) // the error is counted
	ch <- prometheus.MustNewConstMetric(replicasDesc, prometheus.GaugeValue, float64(len(live)))
	ch <- prometheus.MustNewConstMetric(mismatchDesc, prometheus.GaugeValue, float64(len(m.app.others(live))))
}

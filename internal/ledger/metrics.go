package ledger

import "github.com/prometheus/client_golang/prometheus"

// The operations by which errors are counted.
const (
	opClaim     = "claim"
	opBegin     = "begin"
	opIntend    = "intend"
	opReturn    = "return"
	opRecord    = "record"
	opRetry     = "retry"
	opAdopt     = "adopt"
	opFinish    = "finish"
	opTrack     = "track"
	opResolve   = "resolve"
	opInstall   = "install"
	opLease     = "lease"
	opTakeOver  = "take_over"
	opSchedules = "schedules"
	opSuspend   = "suspend"
	opDiscover  = "discover"
	opPrune     = "prune"
	opHeartbeat = "heartbeat"
	opQuery     = "query"
)

// newStoreErrors makes the counter of operations that the store could not perform, every series
// at zero. A nil registerer leaves it unregistered.
func newStoreErrors(reg prometheus.Registerer) (*prometheus.CounterVec, error) {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "automatond_store_errors_total",
		Help: "Operations that the store could not perform.",
	}, []string{"op"})
	for _, op := range []string{
		opClaim, opBegin, opIntend, opReturn, opRecord, opRetry, opAdopt, opFinish, opTrack, opResolve,
		opInstall, opLease, opTakeOver, opSchedules, opSuspend, opDiscover, opPrune, opHeartbeat, opQuery,
	} {
		counter.WithLabelValues(op)
	}
	if reg == nil {
		return counter, nil
	}
	return counter, reg.Register(counter)
}

package main

import (
	"context"
	"time"
)

const (
	slowCount = 1000
	slowDelay = 5 * time.Second // how long a slow project's POST takes
)

// slowFigures say whether slow projects hold up fast ones that are due at the same time.
type slowFigures struct {
	Rounds   int     `json:"rounds"`
	Alone    summary `json:"fast_alone"`    // 1,000 fast projects
	Together summary `json:"fast_together"` // the same with 1,000 slow ones beside them
	Ratio    float64 `json:"ratio_p99"`
}

// slow measures the fast projects' delays with and without slow ones beside them, in alternation.
func (b *bench) slow(ctx context.Context) (*slowFigures, error) {
	fast := projectIDs("f", slowCount)
	// Every other project is slow, so that neither kind is declared before the other.
	mixed := make([]string, 0, 2*slowCount)
	for i, id := range projectIDs("s", slowCount) {
		mixed = append(mixed, id, fast[i])
	}
	isFast := func(i int) bool { return i%2 == 1 }
	delay := func(i int) time.Duration {
		if isFast(i) {
			return 0
		}
		return slowDelay
	}
	var alone, together []summary
	for i := range b.rounds {
		b.progress("slow: round %d of %d", i+1, b.rounds)
		s, err := b.daemonRound(ctx, 1, 1, fast, nil, nil)
		if err != nil {
			return nil, err
		}
		alone = append(alone, s[0].summary)
		if s, err = b.daemonRound(ctx, 1, 1, mixed, delay, isFast); err != nil {
			return nil, err
		}
		together = append(together, s[0].summary)
	}
	f := &slowFigures{Rounds: b.rounds, Alone: medians(alone), Together: medians(together)}
	f.Ratio = ratio(f.Together.P99, f.Alone.P99)
	return f, nil
}

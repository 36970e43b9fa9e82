package ledger

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"testing"
	"time"
)

// plans are the ways to ask each engine how it would perform a statement.
var plans = map[string]func(t *testing.T, l *Ledger, query string) (steps []string){
	"sqlite": func(t *testing.T, l *Ledger, query string) (steps []string) {
		args := make([]any, parameters(query))
		rows, err := l.reader.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		must(t, err)
		must(t, eachRow(rows, func(row scanner) error {
			var id, parent, unused int
			var detail string
			err := row.Scan(&id, &parent, &unused, &detail)
			steps = append(steps, detail)
			return err
		}))
		return steps
	},
	// PostgreSQL reads a small table as a whole whatever keys it has, so it is told not to.
	"postgres": func(t *testing.T, l *Ledger, query string) (steps []string) {
		db, err := l.dialect.open(forMigrating)
		must(t, err)
		defer db.Close()
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer conn.Close()
		mustExec(t, conn, "SET enable_seqscan = off")
		mustExec(t, conn, "SET plan_cache_mode = force_generic_plan")
		mustExec(t, conn, "PREPARE statement AS "+l.dialect.terms().translate(query))
		execute := "EXPLAIN EXECUTE statement"
		if n := parameters(query); n > 0 {
			execute += " (NULL" + strings.Repeat(", NULL", n-1) + ")"
		}
		rows, err := conn.QueryContext(t.Context(), execute)
		must(t, err)
		must(t, eachRow(rows, func(row scanner) error {
			step, err := scanText(row)
			steps = append(steps, step)
			return err
		}))
		return steps
	},
}

func mustExec(t *testing.T, conn *sql.Conn, statement string) {
	t.Helper()
	_, err := conn.ExecContext(context.Background(), statement)
	must(t, err)
}

func parameters(query string) int {
	for n := 9; n > 0; n-- {
		if strings.Contains(query, "?"+strconv.Itoa(n)) {
			return n // numbered, and used more than once
		}
	}
	return strings.Count(query, "?")
}

// TestStatements_UseKeys holds the statements of a run's way against scans: each must find its
// rows by a key, or its cost would grow with the history.
func TestStatements_UseKeys(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		_, engine, _ := strings.Cut(t.Name(), "/")
		for name, query := range map[string]string{
			"insertFire": insertFires.one, "settleFire": settleFire, "insertRun": insertRuns.one,
			"insertFirst": insertFirsts.one, "raiseWatermark": raiseWatermarks.one,
			"insertDispatch": insertDispatch, "intendDispatch": intendDispatch,
			"intendFirst": intendFirst, "selectExcluding": selectExcluding, "selectWaiting": selectWaiting, "returnDispatch": returnDispatch,
			"selectDispatch": selectDispatch, "recordResult": recordResult + " AND " + ownedRun,
			"insertActivity": insertActivity, "adoptActivity": adoptActivity, "selectHolder": selectHolder,
			"selectOtherRequest": selectOtherRequest, "finishRun": finishRun,
			"raiseTarget": raiseTarget, "finishFire": finishFire, "selectFinished": selectFinished,
			"selectOpenDispatches": selectOpenDispatches, "takeOver": takeOver(foreign), "takeOverOrphaned": takeOver(orphaned),
			"resolveDispatch": resolveDispatch, "selectEnds": selectEnds,
			"runsInDoubt": `SELECT id FROM runs WHERE id IN (SELECT run_id FROM dispatches WHERE ` + inDoubt + `)`,
			"deleteRuns":  `DELETE FROM runs WHERE id = ?`, "selectPrunable": selectPrunable,
			"selectOldestOpen": selectOldestOpen, "forgetActivities": forgetActivities,
		} {
			t.Run(name, func(t *testing.T) {
				for _, step := range plans[engine](t, l, query) {
					t.Log(step)
					whole := strings.HasPrefix(step, "SCAN") || strings.Contains(step, "Seq Scan")
					if whole && !strings.Contains(step, "runs_open") && !strings.Contains(step, "replicas") &&
						!strings.Contains(step, "dispatches_in_doubt") {
						t.Errorf("reads a whole table: %s", step)
					}
				}
			})
		}
	})
}

// TestStatements_FindARunByItsID holds what moves one run on against statistics in which no run is open, as they
// are with a long history: the index of open runs looks cheaper then than the key, and each answer of a burst
// would read all of it.
func TestStatements_FindARunByItsID(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		_, engine, _ := strings.Cut(t.Name(), "/")
		someEndedRuns(t, l)
		for name, query := range map[string]string{
			"insertDispatch": insertDispatch, "intendDispatch": intendDispatch, "retryDispatch": retryDispatch,
			"recordResult": recordResult + " AND " + ownedRun, "finishRun": finishRun,
		} {
			plan := strings.Join(plans[engine](t, l, query), "\n")
			if strings.Contains(plan, "runs_open") {
				t.Errorf("%s looks among the open runs:\n%s", name, plan)
			}
		}
	})
}

// TestHistory_IsFoundByKeys holds what a long history is asked for against the index that each question
// is to be answered by, alone.
func TestHistory_IsFoundByKeys(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		_, engine, _ := strings.Cut(t.Name(), "/")
		someFires(t, l)
		since := time.Now()
		runs := func(f Filter) string { query, _ := f.runs(); return query }
		fires := func(f Filter) string {
			f.WithoutRun = true
			query, _ := f.fires()
			return query
		}
		runsKey := map[string]string{"sqlite": "PRIMARY KEY", "postgres": "runs_pkey"}[engine]
		for name, test := range map[string]struct{ query, index string }{
			"runs since":       {runs(Filter{Since: since}), runsKey},
			"runs in doubt":    {runs(Filter{InDoubt: true}), runsKey},
			"runs of fire":     {runs(Filter{FireID: "x"}), "runs_fire"},
			"runs of cron":     {runs(Filter{Cron: "x"}), "runs_of_cron"},
			"runs of project":  {runs(Filter{Project: "x"}), "runs_of_project"},
			"runs of env":      {runs(Filter{Environment: "x"}), "runs_of_environment"},
			"runs of outcome":  {runs(Filter{Outcome: Failed}), "runs_of_outcome"},
			"runs of reason":   {runs(Filter{Reason: Auth}), "runs_of_reason"},
			"cron, outcome":    {runs(Filter{Cron: "x", Outcome: Failed}), "runs_of_cron"},
			"cron since":       {runs(Filter{Cron: "x", Since: since}), "runs_of_cron"},
			"fires":            {fires(Filter{}), "fires_without_run"},
			"fires since":      {fires(Filter{Since: since}), "fires_without_run"},
			"fires of cron":    {fires(Filter{Cron: "x"}), "fires_without_run_of_cron"},
			"fires of project": {fires(Filter{Project: "x"}), "fires_without_run_of_project"},
			"fires of outcome": {fires(Filter{Outcome: Failed}), "fires_without_run_of_outcome"},
			"fires, cron, end": {fires(Filter{Cron: "x", Outcome: Failed}), "fires_without_run_of_cron"},
			"fires of reason":  {fires(Filter{Reason: Auth}), "fires_without_run_of_reason"},
			"fire by id":       {`SELECT id FROM fires WHERE ` + byIDWithoutRun, "fires_without_run_id"},
			"fire by its run":  {`SELECT id FROM fires WHERE ` + byIDOfRun, "runs_fire"},
			"prune":            {selectPrunable, "fires_ended"},
		} {
			t.Run(name, func(t *testing.T) {
				steps := plans[engine](t, l, test.query)
				plan := strings.Join(steps, "\n")
				t.Log(plan)
				if !strings.Contains(plan+" ", test.index+" ") {
					t.Errorf("does not use %s", test.index)
				}
				for _, step := range steps {
					step = strings.TrimLeft(step, " ->")
					whole := strings.HasPrefix(step, "SCAN runs") || strings.HasPrefix(step, "SCAN fires") ||
						strings.HasPrefix(step, "Seq Scan")
					if whole && !strings.Contains(step, "runs_open") && !strings.Contains(step, "fires_without_run") {
						t.Errorf("reads a whole table: %s", step)
					}
				}
			})
		}
	})
}

// someFires fills the ledger so that PostgreSQL has a reason to prefer one index over another.
func someFires(t *testing.T, l *Ledger) {
	t.Helper()
	claims := make([]Claim, 500)
	for i := range claims {
		claims[i] = claimOf(slotTime)
		claims[i].Fire.Cron = strconv.Itoa(i)
	}
	_, err := l.Claim(t.Context(), "a", claims)
	must(t, err)
	must(t, l.write(t.Context(), opHeartbeat, "analyze", 1, func(s *session) error {
		if _, err := s.exec("UPDATE fires SET project = cron, outcome = cron, reason = cron"); err != nil {
			return err
		}
		_, err := s.exec("ANALYZE fires")
		return err
	}))
}

// someEndedRuns fills the ledger with runs and lets the database know that all of them have ended.
func someEndedRuns(t *testing.T, l *Ledger) {
	t.Helper()
	claims := make([]Claim, 500)
	for i := range claims {
		claims[i] = claimOf(slotTime, "main")
		claims[i].Fire.Cron = strconv.Itoa(i)
	}
	_, err := l.Claim(t.Context(), "a", claims)
	must(t, err)
	must(t, l.write(t.Context(), opHeartbeat, "analyze", 1, func(s *session) error {
		for _, statement := range []string{"UPDATE runs SET finished_at = 1", "ANALYZE runs"} {
			if _, err := s.exec(statement); err != nil {
				return err
			}
		}
		return nil
	}))
}

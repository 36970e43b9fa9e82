package ledger

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"testing"
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
			"insertDispatch": insertDispatch, "intendDispatch": intendDispatch, "returnDispatch": returnDispatch,
			"selectDispatch": selectDispatch, "recordResult": recordResult + " AND " + ownedRun,
			"insertActivity": insertActivity, "adoptActivity": adoptActivity, "selectHolder": selectHolder,
			"selectOtherRequest": selectOtherRequest, "finishRun": finishRun,
			"raiseTarget": raiseTarget, "finishFire": finishFire, "selectFinished": selectFinished,
			"selectOpenDispatches": selectOpenDispatches, "takeOver": takeOverRuns,
			"resolveDispatch": resolveDispatch, "selectEnds": selectEnds,
			"runsInDoubt": `SELECT id FROM runs WHERE id IN (SELECT run_id FROM dispatches WHERE ` + inDoubt + `)`,
			"deleteRuns":  `DELETE FROM runs WHERE id = ?`, "selectPrunable": selectPrunable,
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

package ledger

import (
	"strings"
	"testing"
)

// TestStatements_UseKeys holds the statements of a run's way against scans: each must find its
// rows by a key, or its cost would grow with the history.
func TestStatements_UseKeys(t *testing.T) {
	l := open(t, t.TempDir())
	for name, query := range map[string]string{
		"insertFire": insertFire, "settleFire": settleFire, "insertRun": insertRun, "raiseWatermark": raiseWatermark,
		"insertDispatch": insertDispatch, "intendDispatch": intendDispatch, "returnDispatch": returnDispatch,
		"selectDispatch": selectDispatch, "recordResult": recordResult + " AND " + ownedRun,
		"insertActivity": insertActivity, "adoptActivity": adoptActivity, "selectHolder": selectHolder,
		"selectOtherRequest": selectOtherRequest, "finishRun": finishRun,
		"raiseTarget": raiseTarget, "finishFire": finishFire, "selectFinished": selectFinished, "selectOpenDispatches": selectOpenDispatches,
		"resolveDispatch": resolveDispatch, "selectEnds": selectEnds, "runsInDoubt": `SELECT id FROM runs WHERE id IN
			(SELECT run_id FROM dispatches WHERE ` + inDoubt + `)`,
		"takeOver": takeOverRuns, "deleteRuns": `DELETE FROM runs WHERE id = ?`, "selectPrunable": selectPrunable,
	} {
		t.Run(name, func(t *testing.T) {
			args := make([]any, strings.Count(query, "?"))
			if strings.Contains(query, "?5") {
				args = args[:5]
			}
			rows, err := l.reader.Query("EXPLAIN QUERY PLAN "+query, args...)
			if err != nil {
				t.Fatal(err)
			}
			err = eachRow(rows, func(row scanner) error {
				var id, parent, unused int
				var detail string
				if err := row.Scan(&id, &parent, &unused, &detail); err != nil {
					return err
				}
				t.Log(detail)
				if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "runs_open") &&
					!strings.Contains(detail, "dispatches_in_doubt") && detail != "SCAN replicas" {
					t.Errorf("reads a whole table: %s", detail)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

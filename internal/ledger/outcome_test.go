package ledger

import (
	"slices"
	"testing"
)

func TestPairs_AreTheClosedSet(t *testing.T) {
	want := map[Outcome][]Reason{
		Succeeded: {""},
		Skipped:   {Guard, Overlap, Duplicate, Suspended, NoTarget, Inactive, Observe},
		Missed:    {Deadline, Dirty},
		Failed:    {Forbidden, NotFound, Inactive, Script, APIError, Auth, InDoubt, Timeout, ActivityFailed},
		Canceled:  {ActivityCanceled, NotFound},
		Unknown:   {InDoubt, Staged, NotFound},
	}
	got := map[Outcome][]Reason{}
	for _, p := range Pairs() {
		got[p.Outcome] = append(got[p.Outcome], p.Reason)
		if p.Meaning == "" || p.Remedy == "" && p.Outcome != Succeeded {
			t.Errorf("%s/%s has no sentence for what happened or what to do", p.Outcome, p.Reason)
		}
		if !Valid(p.Outcome, p.Reason) {
			t.Errorf("%s/%s is not valid", p.Outcome, p.Reason)
		}
	}
	for outcome, reasons := range want {
		if !slices.Equal(got[outcome], reasons) {
			t.Errorf("reasons of %s = %v, want %v", outcome, got[outcome], reasons)
		}
		delete(got, outcome)
	}
	if len(got) > 0 {
		t.Errorf("outcomes beyond the set: %v", got)
	}
	if Valid(Succeeded, Guard) || Valid("", "") {
		t.Error("an invalid pair is valid")
	}
}

func TestWorse_OrdersOutcomes(t *testing.T) {
	order := []Outcome{Failed, Unknown, Canceled, Missed, Skipped, Succeeded, ""}
	for i, a := range order {
		for j, b := range order {
			if got, want := Worse(a, b), i < j; got != want {
				t.Errorf("Worse(%q, %q) = %t, want %t", a, b, got, want)
			}
		}
	}
}

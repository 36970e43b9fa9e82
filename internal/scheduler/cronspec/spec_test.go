package cronspec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

func parse(t testing.TB, expr string) *cronspec.Spec {
	t.Helper()
	s, err := cronspec.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// utc is the schedule of a spec without H.
func utc(t testing.TB, expr string) cronspec.Schedule {
	t.Helper()
	return parse(t, expr).Schedule("", time.UTC)
}

func TestParse_NormalisesEveryForm(t *testing.T) {
	for expr, want := range map[string]string{
		"0 5 * * *":             "0 5 * * *",
		" 0\t5 * *  * \n":       "0 5 * * *",
		"? ? ? ? ?":             "* * * * *",
		"05 005 01 1 0":         "5 5 1 1 0",
		"*/15 * * * *":          "*/15 * * * *",
		"*/1 * * * *":           "* * * * *",
		"?/7 * * * *":           "*/7 * * * *",
		"*/59 */23 */31 */12 *": "*/59 */23 */31 */12 *",
		"5/20 * * * *":          "5-45/20 * * * *",
		"58/5 * * * *":          "58 * * * *",
		"1-10/3 * * * *":        "1-10/3 * * * *",
		"0-59 0-23 * * *":       "0-59 0-23 * * *",
		"1,2,3,10 * * * *":      "1-3,10 * * * *",
		"5,*/30 * * * *":        "0,5,30 * * * *",
		"*/30,5 * * * *":        "*/30,5 * * * *",
		"0 0 * JAN,mar-May *":   "0 0 * 1,3-5 *",
		"0 0 * * MON-fri":       "0 0 * * 1-5",
		"0 0 * * 7":             "0 0 * * 0",
		"0 0 * * 5-7":           "0 0 * * 0,5,6",
		"0 0 * * 6-7":           "0 0 * * 0,6",
		"0 0 * * 0-7":           "0 0 * * 0-6",
		"0 0 * * 1-7/2":         "0 0 * * 0,1,3,5",
		"0 0 * * 1-7/3":         "0 0 * * 1,4,0",
		"0 0 * * 1/2":           "0 0 * * 1-5/2",
		"0 0 * * 7/2":           "0 0 * * 0",
		"0 0 * * */7":           "0 0 * * */7",
		"0 0 * * FRI-SUN":       "0 0 * * 0,5,6",
		"0 0 * * sun-tue":       "0 0 * * 0-2",
		"0 0 29 2 *":            "0 0 29 2 *",
		"0 0 31 1-6 *":          "0 0 31 1-6 *",
		"0 0 31 2 1":            "0 0 31 2 1",
		"@yearly":               "0 0 1 1 *",
		"@annually":             "0 0 1 1 *",
		"@monthly":              "0 0 1 * *",
		"@weekly":               "0 0 * * 0",
		"@daily":                "0 0 * * *",
		"@midnight":             "0 0 * * *",
		"@hourly":               "0 * * * *",
	} {
		s := parse(t, expr)
		if s.String() != expr {
			t.Errorf("String of %q is %q", expr, s)
		}
		got := s.Schedule("", time.UTC)
		if same := utc(t, want); got != same {
			t.Errorf("%q means %q, want %q", expr, got, want)
		}
		if again := utc(t, got.String()); got != again {
			t.Errorf("%q is written as %q, which means another thing", expr, got)
		}
	}
	if got := utc(t, "0-6,10,20-22 * * * 5-7").String(); got != "0-6,10,20-22 * * * 0,5,6" {
		t.Errorf("got %q", got)
	}
}

func TestParse_SaysWhatIsWrongWhereAndWhatToWrite(t *testing.T) {
	tests := []struct{ expr, at, message, hint string }{
		{"", "", "is empty", "0 5 * * *"},
		{"  ", "  ", "is empty", ""},
		{"0 5 * *", "0 5 * *", "has 4 of the five fields it needs", ""},
		{",", ",", "has 1 of the five fields", ""},
		{"0 0 5 * * *", "0", "has 6 fields instead of five", "write 0 5 * * *"},
		{"15 0 5 * * *", "15 0 5 * * *", "has 6 fields instead of five", "seconds and years"},
		{"05:30", "05:30", "has 1 of the five fields", "write 30 5 * * * for 05:30 every day"},
		{"Daily", "Daily", "has 1 of the five fields", "write @daily"},
		{"@dayly", "@dayly", "is not known", "write @daily"},
		{"0 24 * * *", "24", "hour 24 is out of range", "midnight"},
		{"5 30 * * *", "30", "hour 30 is out of range", "the minute is the first field"},
		{"‘0 5 * * *’", "‘0", "is not a number", "straight quotes"},
		{"60 * * * *", "60", "minute 60 is out of range 0-59", ""},
		{"0 24 * * *", "24", "hour 24 is out of range 0-23", ""},
		{"0 0 0 * *", "0", "day of month 0 is out of range 1-31", ""},
		{"0 0 1-32 * *", "32", "day of month 32 is out of range 1-31", ""},
		{"0 0 * 13 *", "13", "month 13 is out of range 1-12", ""},
		{"0 0 * * 8", "8", "day of week 8 is out of range 0-7", ""},
		{"99999999999999999999 * * * *", "99999999999999999999", "is out of range 0-59", ""},
		{", * * * *", ",", `minute list "," has an empty element`, "comma"},
		{"1,,2 * * * *", "1,,2", "has an empty element", ""},
		{"1,2, * * * *", "1,2,", "has an empty element", ""},
		{"+5 * * * *", "+5", `minute value "+5" is not a number`, ""},
		{"-5 * * * *", "-5", `minute "-5" lacks a value`, ""},
		{"0 5- * * *", "5-", `hour "5-" lacks a value`, ""},
		{"1-2-3 * * * *", "2-3", "is not a number", ""},
		{"0 22-2 * * *", "22-2", "range 22-2 ends before it begins", "22-23,0-2"},
		{"5-1 * * * *", "5-1", "range 5-1 ends before it begins", "5-59,0-1"},
		{"0 0 * * 5-0", "5-0", "ends before it begins", "5-7"},
		{"*/60 * * * *", "*/60", "*/60 in the minute field means minute 0 only", "for every hour write 0 * * * *"},
		{"*/120 * * * *", "*/120", "minute 0 only", "for every 2 hours write 0 */2 * * *"},
		{"*/90 * * * *", "*/90", "minute 0 only", "no spec says every 90 minutes"},
		{"* */30 * * *", "*/30", "*/30 in the hour field means hour 0 only", "for every 30 minutes write */30 * * * *"},
		{"0 */24 * * *", "*/24", "hour 0 only", "for once a day write 0 0 * * *"},
		{"0 */100 * * *", "*/100", "hour 0 only", "no spec says every 100 hours"},
		{"0 0 */40 * *", "*/40", "day of month 1 only", "from 1 to 31"},
		{"5/70 * * * *", "5/70", "minute step 70 reaches beyond the field", "leave the step out"},
		{"*/0 * * * *", "0", "minute step 0 is out of range 1-59", ""},
		{"*/ * * * *", "*/", `minute "*/" lacks a step`, ""},
		{"/5 * * * *", "/5", `minute "/5" lacks a value`, ""},
		{"*/-5 * * * *", "-5", "is not a number", ""},
		{"1/2/3 * * * *", "2/3", "is not a number", ""},
		{"*5 * * * *", "*5", "is not a number", "stands alone"},
		{"*-5 * * * *", "*", "is not a number", ""},
		{"0 0 * JANUARY *", "JANUARY", "is not a number", "JAN or 1"},
		{"0 0 * * Sonntag", "Sonntag", "is not a number", "from SUN to SAT"},
		{"0 MON * * *", "MON", "is not a number", ""},
		{"0 0 L * *", "L", "is not a number", "other schedulers"},
		{"0 0 * * 5#2", "5#2", "is not a number", "other schedulers"},
		{"h * * * *", "h", "is not a number", "upper case"},
		{"HH * * * *", "HH", `"HH" is no H`, "H(a-b)/n"},
		{"H(0-7 * * * *", "H(0-7", "is no H", ""},
		{"H() * * * *", "H()", "is no H", ""},
		{"H(5) * * * *", "H(5)", "is no H", ""},
		{"H(0-60) * * * *", "60", "minute 60 is out of range 0-59", ""},
		{"H(7-0) * * * *", "7-0", "ends before it begins", ""},
		{"H(0-7)/9 * * * *", "H(0-7)/9", "minute step 9 is out of range 1-8", ""},
		{"0 0 H/29 * *", "H/29", "day of month step 29 is out of range 1-28", ""},
		{"H-5 * * * *", "H-5", "is no H", ""},
		{"0 0 31 2 *", "31", "never fires: no chosen month has day 31", ""},
		{"0 0 30-31 FEB *", "30-31", "never fires", ""},
		{"0 0 31 2,4,6,9,11 */2", "31", "never fires", ""},
		{"0 0 H(28-31) 2 *", "H(28-31)", "may never fire: H can land on day 31", "H(1-28)"},
		{"0 0 31 H *", "31", "may never fire", ""},
		{"0 0 31 H(4-6)/2 *", "31", "may never fire", ""},
		{"@every 15m", "@every 15m", "@every", "write */15 * * * *"},
		{"@every 6h", "@every 6h", "@every", "write 0 */6 * * *"},
		{"@every 60m", "@every 60m", "@every", "@hourly"},
		{"@every 24h", "@every 24h", "@every", "@daily"},
		{"@every 90s", "@every 90s", "@every", "five fields"},
		{"@every -5m", "@every -5m", "@every", "five fields"},
		{"@reboot", "@reboot", "@reboot is no time", "0 5 * * *"},
		{"@Daily", "@Daily", `descriptor "@Daily" is not known`, "write @daily"},
		{"@fortnightly", "@fortnightly", "is not known", "@weekly"},
		{"@", "@", "is not known", ""},
		{"@daily 5", "5", `descriptor @daily is followed by "5"`, "alone"},
		{"TZ=Europe/Paris 0 5 * * *", "TZ=Europe/Paris", "time zone", "timezone: Europe/Paris"},
		{"CRON_TZ=UTC @daily", "CRON_TZ=UTC", "time zone", "timezone: UTC"},
		{"TZ=UTC", "TZ=UTC", "time zone", ""},
		{"\xff * * * *", "\xff", "is not a number", ""},
	}
	for _, tt := range tests {
		_, err := cronspec.Parse(tt.expr)
		e, ok := errors.AsType[*cronspec.Error](err)
		if !ok {
			t.Errorf("Parse(%q) returned %v", tt.expr, err)
			continue
		}
		if at := tt.expr[e.Offset : e.Offset+e.Length]; at != tt.at {
			t.Errorf("Parse(%q) points at %q, want %q", tt.expr, at, tt.at)
		}
		if want := fmt.Sprintf("spec %q: ", tt.expr); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Parse(%q) = %q, which does not begin with %q", tt.expr, err, want)
		}
		if !strings.Contains(e.Message, tt.message) || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("Parse(%q) = %q, hint %q", tt.expr, e.Message, e.Hint)
		}
	}
}

func TestParse_AcceptsHThatAlwaysFires(t *testing.T) {
	for _, expr := range []string{"0 0 H 2 *", "0 0 H(1-29) 2 *", "0 0 31 H/2 *", "0 0 30 H(3-12) *", "0 0 H(30-31) * *", "0 0 31 1,H *"} {
		s := parse(t, expr)
		for i := range 200 {
			schedule := s.Schedule(fmt.Sprint(i), time.UTC)
			if schedule.Next(time.Unix(0, 0)).IsZero() {
				t.Fatalf("%q became %q, which never fires", expr, schedule)
			}
		}
	}
}

func TestSpec_WarnsOfWhatIsRarelyMeant(t *testing.T) {
	for expr, want := range map[string]string{
		"0 5 * * *":    "",
		"* * * * *":    "",
		"* 9-17 * * *": "",
		"0 0 1 * */2":  "",
		"*/5 3 * * *":  "",
		"@daily":       "",
		"* 5 * * *":    "every-minute 0+1",
		"*/1 5 * * *":  "every-minute 0+3",
		"* */6 * * *":  "every-minute 0+1",
		"* H * * *":    "every-minute 0+1",
		"0 0 1 * 1":    "both-day-fields 8+1",
		"H/1 5 * * *":  "hash-step-one 0+3",
		"* 5 1,2 * 1":  "every-minute 0+1, both-day-fields 10+1",
	} {
		var got []string
		for _, w := range parse(t, expr).Warnings() {
			got = append(got, fmt.Sprintf("%s %d+%d", w.Code, w.Offset, w.Length))
			if w.Message == "" || w.Hint == "" || w.Field == "" {
				t.Errorf("%q: %+v lacks words", expr, w)
			}
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%q warns of %q, want %q", expr, s, want)
		}
	}
	if !parse(t, "0 0 1 * 1").BothDayFields() || parse(t, "0 0 */2 * 1").BothDayFields() {
		t.Error("a day field that begins with * is unrestricted")
	}
}

func TestLoadZone_NamesTheNearestZone(t *testing.T) {
	for name, hint := range map[string]string{
		"europe/paris":     "did you mean Europe/Paris?",
		"Paris":            "did you mean Europe/Paris?",
		"New York":         "did you mean America/New_York?",
		"Amerika/New_York": "did you mean America/New_York?",
		"Mars/Olympus":     "write UTC or a name",
		"":                 "write UTC or a name",
		"Local":            "write UTC or a name",
		"../etc/passwd":    "write UTC or a name",
		"CET-1CEST":        "write UTC or a name",
		"PARIS":            "did you mean Europe/Paris?",
		"CEST":             "write the name of a place, such as Europe/Paris: an abbreviation",
		"UTC+2":            "write the name of a place, such as Europe/Paris: an offset",
		"+02:00":           "write the name of a place, such as Europe/Paris: an offset",
	} {
		_, err := cronspec.LoadZone(name)
		e, ok := errors.AsType[*cronspec.ZoneError](err)
		if !ok || !strings.HasPrefix(e.Hint(), hint) {
			t.Errorf("LoadZone(%q) = %v", name, err)
			if ok {
				t.Errorf("hint %q, want %q", e.Hint(), hint)
			}
		}
	}
	if loc, err := cronspec.LoadZone("UTC"); err != nil || loc != time.UTC {
		t.Errorf("LoadZone(UTC) = %v, %v", loc, err)
	}
}

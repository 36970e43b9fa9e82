package cronspec_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

func TestDescribe_SaysItInWords(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{"* * * * *", "Every minute"},
		{"*/15 * * * *", "Every 15 minutes"},
		{"*/2 * * * *", "Every 2 minutes"},
		{"*/7 * * * *", "Every 7 minutes from minute 0 to 56 past every hour"},
		{"0,30 * * * *", "Every 30 minutes"},
		{"15,45 * * * *", "Every 30 minutes from minute 15 past every hour"},
		{"0,20 * * * *", "At minutes 0 and 20 past every hour"},
		{"5-59/15 * * * *", "Every 15 minutes from minute 5 past every hour"},
		{"0-30/10 * * * *", "Every 10 minutes from minute 0 to 30 past every hour"},
		{"0-10 * * * *", "Every minute from minute 0 to 10 past every hour"},
		{"0 * * * *", "At minute 0 past every hour"},
		{"37 * * * *", "At minute 37 past every hour"},
		{"5,20,40 * * * *", "At minutes 5, 20 and 40 past every hour"},
		{"0,10-14,50 * * * *", "At minutes 0, 10 to 14 and 50 past every hour"},
		{"0 5 * * *", "At 05:00 every day"},
		{"0 5,17 * * *", "At 05:00 and 17:00 every day"},
		{"30 5,9,17 * * *", "At 05:30, 09:30 and 17:30 every day"},
		{"0,30 5 * * *", "At 05:00 and 05:30 every day"},
		{"0,30 5,17 * * *", "At 05:00, 05:30, 17:00 and 17:30 every day"},
		{"0 9-17 * * *", "Every hour from 09:00 to 17:00 every day"},
		{"30 9-17 * * *", "Every hour from 09:30 to 17:30 every day"},
		{"0 */6 * * *", "At 00:00, 06:00, 12:00 and 18:00 every day"},
		{"0 */5 * * *", "Every 5 hours from 00:00 to 20:00 every day"},
		{"15 1-23/2 * * *", "Every 2 hours from 01:15 to 23:15 every day"},
		{"0 0,3-8,14-20 * * *", "At minute 0 past hours 0, 3 to 8 and 14 to 20 every day"},
		{"0 1,2,4,5,9 * * *", "At minute 0 past hours 1, 2, 4, 5 and 9 every day"},
		{"* 9-17 * * *", "Every minute from 09:00 to 17:59 every day"},
		{"* 5 * * *", "Every minute from 05:00 to 05:59 every day"},
		{"*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:59 on Monday to Friday"},
		{"*/15 9-11,14-16 * * *", "Every 15 minutes from 09:00 to 11:59 and from 14:00 to 16:59 every day"},
		{"5-59/15 9-17 * * *", "Every 15 minutes from 09:05 to 17:59 every day"},
		{"*/15 */2 * * *", "Every 15 minutes during every 2nd hour from 0 to 22 every day"},
		{"*/20 5 * * *", "At 05:00, 05:20 and 05:40 every day"},
		{"*/10 5 * * *", "Every 10 minutes from 05:00 to 05:59 every day"},
		{"10-40/5 5 * * *", "Every 5 minutes from 05:10 to 05:40 every day"},
		{"0-10 5 * * *", "Every minute from 05:00 to 05:10 every day"},
		{"10-40/5 9-17 * * *", "Every 5 minutes from minute 10 to 40 past every hour from 9 to 17 every day"},
		{"10-40/5 1,7 * * *", "Every 5 minutes from minute 10 to 40 past hours 1 and 7 every day"},
		{"5,20,40 9-17 * * *", "At minutes 5, 20 and 40 past every hour from 9 to 17 every day"},
		{"5,20,40 1-23/2 * * *", "At minutes 5, 20 and 40 past every 2nd hour from 1 to 23 every day"},
		{"5,20,40 5 * * *", "At 05:05, 05:20 and 05:40 every day"},
		{"0 5 * * MON-FRI", "At 05:00 on Monday to Friday"},
		{"0 5 * * 1", "At 05:00 on Monday"},
		{"0 5 * * 0", "At 05:00 on Sunday"},
		{"0 5 * * 7", "At 05:00 on Sunday"},
		{"0 5 * * 6,0", "At 05:00 on Saturday and Sunday"},
		{"0 5 * * 5-7", "At 05:00 on Friday to Sunday"},
		{"0 5 * * sun,mon,tue", "At 05:00 on Sunday to Tuesday"},
		{"0 5 * * 1,3,5", "At 05:00 on Monday, Wednesday and Friday"},
		{"0 5 * * mon,thu", "At 05:00 on Monday and Thursday"},
		{"0 5 * * 0-6", "At 05:00 every day"},
		{"0 5 * * 1,3,7", "At 05:00 on Monday, Wednesday and Sunday"},
		{"0 5 1 * *", "At 05:00 on day 1 of the month"},
		{"0 5 1,15 * *", "At 05:00 on days 1 and 15 of the month"},
		{"0 5 1-7 * *", "At 05:00 on days 1 to 7 of the month"},
		{"0 5 */2 * *", "At 05:00 on every 2nd day from 1 to 31 of the month"},
		{"0 5 31 * *", "At 05:00 on day 31 of the month"},
		{"0 5 1 1 *", "At 05:00 on 1 January"},
		{"0 5 1 JAN,JUL *", "At 05:00 on day 1 of January and July"},
		{"0 5 * JUL *", "At 05:00 every day in July"},
		{"0 5 * 6-8 *", "At 05:00 every day in June to August"},
		{"*/15 * * JUL *", "Every 15 minutes in July"},
		{"0 5 * */3 *", "At 05:00 every day in January, April, July and October"},
		{"0 5 1 * 1", "At 05:00 on day 1 of the month or on Monday"},
		{"0 5 1,15 * MON-FRI", "At 05:00 on days 1 and 15 of the month or on Monday to Friday"},
		{"0 5 1 1,7 MON", "At 05:00 on day 1 of the month or on Monday, in January and July"},
		{"0 5 1-31 * MON", "At 05:00 every day"},
		{"0 5 1-7 * */1", "At 05:00 on days 1 to 7 of the month"},
		{"0 5 */2 * MON", "At 05:00 on every 2nd day from 1 to 31 of the month, only if it is Monday"},
		{"0 5 */2 * 1-5", "At 05:00 on every 2nd day from 1 to 31 of the month, only if it is Monday to Friday"},
		{"0 5 13 * */5", "At 05:00 on day 13 of the month, only if it is Friday or Sunday"},
		{"0 5 ? * ?", "At 05:00 every day"},
		{"0 0 29 2 *", "At 00:00 on 29 February"},
		{"* * * * 1", "Every minute on Monday"},
		{"37 * * * 1-5", "At minute 37 past every hour on Monday to Friday"},
		{"@yearly", "At 00:00 on 1 January"},
		{"@annually", "At 00:00 on 1 January"},
		{"@monthly", "At 00:00 on day 1 of the month"},
		{"@weekly", "At 00:00 on Sunday"},
		{"@daily", "At 00:00 every day"},
		{"@midnight", "At 00:00 every day"},
		{"@hourly", "At minute 0 past every hour"},
		{"H * * * *", "At minute 50 past every hour (H)"},
		{"H H * * *", "At 20:50 every day (H)"},
		{"H/15 * * * *", "Every 15 minutes from minute 5 past every hour (H)"},
		{"H H(0-7) * * 1-5", "At 04:50 on Monday to Friday (H)"},
		{"H 2 H * *", "At 02:50 on day 13 of the month (H)"},
		{"0 12 * JAN-MAR SUN", "At 12:00 on Sunday in January to March"},
		{"23 0-20/2 * * *", "Every 2 hours from 00:23 to 20:23 every day"},
		{"5 4 * * sun", "At 04:05 on Sunday"},
		{"0 22 * * 1-5", "At 22:00 on Monday to Friday"},
		{"* */12 * * *", "Every minute from 00:00 to 00:59 and from 12:00 to 12:59 every day"},
	} {
		if got := parse(t, tt.expr).Describe(utc(t, tt.expr)); got != tt.want {
			t.Errorf("%q is described as\n%q, want\n%q", tt.expr, got, tt.want)
		}
	}
}

// fires samples a schedule around the ends of months, weeks and years.
func fires(s cronspec.Schedule) []time.Time {
	var list []time.Time
	for _, from := range []string{"2023-12-30T00:00:00Z", "2024-02-27T20:00:00Z", "2025-06-30T11:30:00Z"} {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			panic(err)
		}
		for range 60 {
			at = s.Next(at)
			list = append(list, at)
		}
	}
	return list
}

func TestWords_AreCompleteAndTheNormalFormsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, _ := draw(t, time.UTC)
		s := spec.Schedule("", time.UTC)
		words := s.Words()
		for _, hole := range []string{"%", "  ", " ,", "[]", "past past"} {
			if strings.Contains(words, hole) {
				t.Fatalf("%s: %q contains %q", spec, words, hole)
			}
		}
		if !strings.HasPrefix(words, "At ") && !strings.HasPrefix(words, "Every ") || strings.TrimSpace(words) != words {
			t.Fatalf("%s: %q is no sentence", spec, words)
		}
		normal, err := cronspec.Parse(s.String())
		if err != nil {
			t.Fatalf("%s is written as %s: %v", spec, s, err)
		}
		again := normal.Schedule("", time.UTC)
		if again.String() != s.String() {
			t.Fatalf("%s is written as %s, and that as %s", spec, s, again)
		}
		if again.Words() != words {
			t.Fatalf("%s is %q, but %s is %q", spec, words, s, again.Words())
		}
		if !slices.EqualFunc(fires(again), fires(s), time.Time.Equal) {
			t.Fatalf("%s and %s have different fires", spec, s)
		}
	})
}

// TestWords_TellSchedulesApart puts many fields together in all ways: two specs with the same words
// must have the same fires.
func TestWords_TellSchedulesApart(t *testing.T) {
	minutes := strings.Fields("* 0 37 0,30 15,45 0,20 */15 5-59/15 */7 0-10 10-40/5 0-59/20 5,20,40 1,2,3,4,5,50")
	hours := strings.Fields("* 0 5 5,17 9-17 9-11,14-16 */2 1-23/2 */6 1,2,4,5,9 0-22")
	days := strings.Fields("* 1 31 1,15 1-7 */2 1-31 2-30/2")
	months := strings.Fields("* 1 1,7 6-8 */3")
	weekdays := strings.Fields("* 0 1 1-5 6,7 */2 0-6 mon,thu")
	known := map[string]string{}
	for _, day := range days {
		for _, month := range months {
			for _, weekday := range weekdays {
				fields := strings.Join([]string{"0 0", day, month, weekday}, " ")
				tellApart(t, known, fields)
			}
		}
	}
	for _, minute := range minutes {
		for _, hour := range hours {
			for _, rest := range []string{"* * *", "1 * *", "* 6 *", "* * 1-5"} {
				tellApart(t, known, strings.Join([]string{minute, hour, rest}, " "))
			}
		}
	}
}

func tellApart(t *testing.T, known map[string]string, expr string) {
	t.Helper()
	spec, err := cronspec.Parse(expr)
	if err != nil {
		return // such as 31 June
	}
	s := spec.Schedule("", time.UTC)
	words := s.Words()
	other, ok := known[words]
	if !ok {
		known[words] = expr
		return
	}
	if !slices.EqualFunc(fires(s), fires(utc(t, other)), time.Time.Equal) {
		t.Errorf("%q and %q are both %q, and have different fires", other, expr, words)
	}
}

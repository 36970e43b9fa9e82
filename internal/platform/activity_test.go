package platform

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestActivity_IsReadAsTheAPISendsIt(t *testing.T) {
	s := newServer(t, status(200, `{"id":"w7q","type":"environment.backup","state":"complete","result":"success",
		"completion_percent":100,"project":"k3q","environments":["main"],"created_at":"2026-08-02T05:00:03.417000+00:00",
		"started_at":"2026-08-02T07:00:04+02:00","completed_at":"2026-08-02T05:00:20Z","failure_reason":null,
		"text":"Automation created a backup of Main","description":"<user>","integration":null,"timings":{"wait":0.1},
		"parameters":{"user":"u2"},"payload":{"user":{"id":"u1","display_name":"Automation"},"backup_name":"b1"},
		"commands":[{"app":"app","type":"web","exit_code":3}],"_links":{"curies":[{"name":"pf"}],"self":{"href":"/x"}}}`))
	got, err := s.client(t).Activity(t.Context(), "k3q", "w7q")
	if err != nil {
		t.Fatal(err)
	}
	want := &Activity{
		ID: "w7q", Type: "environment.backup", State: "complete", Result: "success", CompletionPercent: 100,
		Project: "k3q", Environments: []string{"main"}, UserID: "u1", BackupName: "b1",
		CreatedAt:   time.Date(2026, 8, 2, 5, 0, 3, 417e6, time.UTC),
		StartedAt:   time.Date(2026, 8, 2, 5, 0, 4, 0, time.UTC),
		CompletedAt: time.Date(2026, 8, 2, 5, 0, 20, 0, time.UTC),
		Text:        "Automation created a backup of Main",
		Commands:    []Command{{App: "app", Type: "web", ExitCode: 3}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if uri := s.asked()[0].uri; uri != "/projects/k3q/activities/w7q" {
		t.Errorf("asked %s", uri)
	}
}

func TestActivity_OddFieldsReadAsAbsent(t *testing.T) {
	for body, check := range map[string]func(Activity) bool{
		`"created_at":null,"result":null,"completion_percent":null,"payload":null,"parameters":null`: func(a Activity) bool { return a.CreatedAt.IsZero() && !a.Done() },
		`"created_at":"yesterday","started_at":{},"completed_at":[]`:                                 func(a Activity) bool { return a.CreatedAt.IsZero() && a.StartedAt.IsZero() },
		`"payload":[],"parameters":[]`:                                                               func(a Activity) bool { return a.UserID == "" },
		`"parameters":{"user":"u2"}`:                                                                 func(a Activity) bool { return a.UserID == "u2" },
		`"payload":{"user":"u3","backup_name":7}`:                                                    func(a Activity) bool { return a.UserID == "u3" && a.BackupName == "" },
		`"payload":{"user":{"id":9}},"parameters":{"user":"u2"}`:                                     func(a Activity) bool { return a.UserID == "u2" },
		`"completion_percent":"50","state":5,"environments":"x"`:                                     func(a Activity) bool { return a.CompletionPercent == 0 && a.State == "" },
		`"completion_percent":99.9`:                                                                  func(a Activity) bool { return a.CompletionPercent == 99 && !a.Done() },
		`"completion_percent":1e99`:                                                                  func(a Activity) bool { return a.CompletionPercent == 100 },
		`"commands":[{"exit_code":"1"},7,null]`:                                                      func(a Activity) bool { return len(a.Commands) == 3 },
		`"state":"cancelled"`:                                                                        Activity.Done,
		`"state":"staged"`:                                                                           Activity.Done,
		`"completion_percent":100`:                                                                   Activity.Done,
		`"state":"complete","completion_percent":99`:                                                 func(a Activity) bool { return !a.Done() },
		`"something":{"new":[1,{"deep":null}]},"_links":"nothing"`:                                   func(a Activity) bool { return a.ID == "a" },
	} {
		a, err := newServer(t, status(200, `{"id":"a",`+body+`}`)).client(t).Activity(t.Context(), "p", "a")
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if !check(*a) {
			t.Errorf("%s: read as %+v", body, *a)
		}
	}
}

func TestTimestamp_TakesTheFormsThatOccur(t *testing.T) {
	want := time.Date(2026, 8, 2, 5, 0, 3, 0, time.UTC)
	for _, text := range []string{
		`"2026-08-02T05:00:03Z"`, `"2026-08-02T05:00:03+00:00"`, `"2026-08-02T05:00:03.000000+00:00"`, `"2026-08-02T07:00:03+0200"`,
		`"2026-08-02T05:00:03"`, `"2026-08-02 05:00:03+00:00"`, `"2026-08-02 05:00:03"`, `"2026-08-02T05:00:03\u002b00:00"`, `1785646803`, `1785646803.0`,
	} {
		var got timestamp
		if err := got.UnmarshalJSON([]byte(text)); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s = %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{`null`, `""`, `"never"`, `true`, `{}`, `[]`, `-1`, `0`, `1e300`, `"2026-13-45T99:00:00Z"`} {
		got := timestamp{want}
		if err := got.UnmarshalJSON([]byte(text)); err != nil || !got.IsZero() {
			t.Errorf("%s = %s, %v; want no time", text, got, err)
		}
	}
}

// history is a platform with n activities, a second apart, that puts at most ten on a page.
func history(t *testing.T, newest time.Time, n int) (*server, *[]url.Values) {
	queries := &[]url.Values{}
	return newServer(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		*queries = append(*queries, q)
		count, _ := strconv.Atoi(q.Get("count"))
		var page []string
		for i := 0; i < n && len(page) < min(count, 10); i++ {
			at := newest.Add(-time.Duration(i) * time.Second)
			if from := q.Get("starts_at"); from != "" {
				cursor, err := time.Parse("2006-01-02T15:04:05.000000+00:00", from)
				if err != nil {
					t.Errorf("starts_at %q: %v", from, err)
				}
				if at.After(cursor) {
					continue
				}
			}
			page = append(page, fmt.Sprintf(`{"id":"a%d","created_at":%q}`, i, at.Format(time.RFC3339Nano)))
		}
		fmt.Fprintf(w, "[%s]", strings.Join(page, ","))
	}), queries
}

func ids(list []Activity) []string {
	var all []string
	for _, a := range list {
		all = append(all, a.ID)
	}
	return all
}

func upTo(n int) []string {
	var all []string
	for i := range n {
		all = append(all, "a"+strconv.Itoa(i))
	}
	return all
}

func TestActivities_PagesThroughAllOnce(t *testing.T) {
	newest := time.Date(2026, 8, 2, 5, 0, 3, 123456700, time.UTC)
	for _, tt := range []struct {
		n     int
		query ActivityQuery
		want  []string
		pages int
	}{
		{0, ActivityQuery{}, nil, 1},
		{5, ActivityQuery{}, upTo(5), 2},
		{25, ActivityQuery{}, upTo(25), 4},
		{25, ActivityQuery{MaxPages: 2}, upTo(19), 2},
		{25, ActivityQuery{Since: newest.Add(-12 * time.Second)}, upTo(13), 2},
		{25, ActivityQuery{Since: newest.Add(-3 * time.Second)}, upTo(4), 1},
		{25, ActivityQuery{Before: newest.Add(-20 * time.Second)}, []string{"a20", "a21", "a22", "a23", "a24"}, 2},
		{1000, ActivityQuery{}, upTo(91), 10},
	} {
		s, queries := history(t, newest, tt.n)
		got, err := s.client(t).Activities(t.Context(), "p", "", tt.query)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ids(got), tt.want) || len(*queries) != tt.pages {
			t.Errorf("%d, %+v: %v in %d pages, want %v in %d", tt.n, tt.query, ids(got), len(*queries), tt.want, tt.pages)
		}
	}
}

func TestActivities_AsksForTypesStatesAndEnvironment(t *testing.T) {
	s := newServer(t, status(200, "[]"))
	c := s.client(t)
	_, err := c.Activities(t.Context(), "p", "a/b", ActivityQuery{
		Types: []string{"environment.backup", "environment.redeploy"}, States: []string{"pending", "in_progress"}, Count: 5,
		Before: time.Date(2022, 2, 22, 4, 0, 0, 0, time.FixedZone("", 7200)),
	})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(s.asked()[0].uri)
	if got, want := u.EscapedPath(), "/projects/p/environments/a%2Fb/activities"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	want := url.Values{
		"type": {"environment.backup", "environment.redeploy"}, "state": {"pending", "in_progress"}, "count": {"5"},
		"starts_at": {"2022-02-22T02:00:00.000000+00:00"},
	}
	if !reflect.DeepEqual(u.Query(), want) {
		t.Errorf("query %v, want %v", u.Query(), want)
	}
}

func TestActivities_EndsWithoutACreationTimeOrProgress(t *testing.T) {
	for name, page := range map[string]string{
		"no time":  `[{"id":"a","created_at":"2026-01-01T00:00:00Z"},{"id":"b","created_at":null}]`,
		"the same": `[{"id":"a","created_at":"2026-01-01T00:00:00Z"},{"id":"b","created_at":"2026-01-01T00:00:00Z"}]`,
		"nameless": `[{"id":"a","created_at":"2026-01-01T00:00:00Z"},{},null,{"id":"b","created_at":"2026-01-01T00:00:00Z"}]`,
	} {
		s := newServer(t, status(200, page))
		got, err := s.client(t).Activities(t.Context(), "p", "", ActivityQuery{})
		if err != nil || !slices.Equal(ids(got), []string{"a", "b"}) || len(s.asked()) > 2 {
			t.Errorf("%s: %v, %v in %d pages", name, ids(got), err, len(s.asked()))
		}
	}
}

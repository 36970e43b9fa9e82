package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestJournal_HasWhatArrivedButNoToken(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		at := time.Now()
		v.post("/api"+staging+"/backup", `{"safe":true}`)
		v.get("/projects/shop/activities?count=5")
		v.post(staging+"/backup", `{"safe":false}`)
		want := []Entry{
			{At: at, Method: "POST", Path: "/oauth2/token", Body: "api_token=%3Credacted%3E&grant_type=api_token", User: "user-1", Status: 200},
			{At: at, Method: "POST", Path: "/api" + staging + "/backup", Body: `{"safe":true}`, User: "user-1", Status: 202, Executed: true},
			{At: at, Method: "GET", Path: "/projects/shop/activities", Query: "count=5", User: "user-1", Status: 200},
			{At: at, Method: "POST", Path: staging + "/backup", Body: `{"safe":false}`, User: "user-1", Status: 409},
		}
		got := s.Journal()
		if len(got) != len(want) {
			t.Fatalf("%d entries, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("entry %d:\n got %+v\nwant %+v", i, got[i], want[i])
			}
		}
		if all := fmt.Sprintf("%+v", got); strings.Contains(all, apiToken) || strings.Contains(all, v.access) {
			t.Error("a token is in the journal")
		}
		v.get(staging + "/backup")
		if posts := s.Posts("/backup"); len(posts) != 2 || posts[1].Status != 409 {
			t.Errorf("posts %+v", posts)
		}
	})
}

func TestJournal_KeepsTheNewestUnderALimit(t *testing.T) {
	o := options()
	o.JournalLimit = 10
	s := New(o)
	v := visit(t, s)
	for i := range 95 {
		v.get(fmt.Sprintf("/users/me?n=%d", i))
	}
	got := s.Journal()
	if len(got) < 10 || len(got) > 20 || got[len(got)-1].Query != "n=94" {
		t.Errorf("%d entries, the last %+v", len(got), got[len(got)-1])
	}
}

func TestJournal_ShowsARequestThatIsNotAnsweredYet(t *testing.T) {
	inBubble(t, options(), func(t *testing.T, s *Sandbox, v *visitor) {
		s.Inject(Fault{PathSuffix: "/backup", Kind: Delay, Latency: time.Minute, Executed: true})
		v.login()
		done := make(chan reply)
		go func() { done <- v.post(staging+"/backup", "") }()
		time.Sleep(time.Second)
		if posts := s.Posts("/backup"); len(posts) != 1 || posts[0].Status != 0 {
			t.Errorf("meanwhile: %+v", posts)
		}
		if r := <-done; r.status != 202 {
			t.Errorf("answer %d", r.status)
		}
		if posts := s.Posts("/backup"); posts[0].Status != 202 || !posts[0].Executed {
			t.Errorf("afterwards: %+v", posts)
		}
	})
}

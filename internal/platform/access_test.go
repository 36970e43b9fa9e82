package platform

import "testing"

func TestAccess_SaysTheRoleOnATypeOfEnvironments(t *testing.T) {
	for _, tt := range []struct {
		permissions         []string
		production, staging string
		administrates       bool
	}{
		{nil, "", "", false},
		{[]string{"viewer"}, "viewer", "viewer", false},
		{[]string{"admin"}, "admin", "admin", true},
		{[]string{"viewer", "production:admin"}, "admin", "viewer", false},
		{[]string{"staging:contributor"}, "", "contributor", false},
		{[]string{"staging:viewer", "admin"}, "admin", "admin", true},
	} {
		a := Access{tt.permissions}
		if a.Role("production") != tt.production || a.Role("staging") != tt.staging || a.Administrates() != tt.administrates {
			t.Errorf("%v: %q on production, %q on staging, administrates %v; want %q, %q, %v", tt.permissions,
				a.Role("production"), a.Role("staging"), a.Administrates(), tt.production, tt.staging, tt.administrates)
		}
	}
}

func TestAccess_IsReadOfTheUserInTheProject(t *testing.T) {
	s := newServer(t, status(200, `{"user_id":"u/1","project_id":"p","permissions":["viewer","production:admin"],"granted_at":null}`))
	got, err := s.client(t).Access(t.Context(), "p", "u/1")
	if err != nil || got.Role("production") != "admin" {
		t.Errorf("got %+v, %v", got, err)
	}
	if uri := s.asked()[0].uri; uri != "/projects/p/user-access/u%2F1" {
		t.Errorf("asked %s", uri)
	}
}

package resources

import "testing"

// TestScopeCovers: which scopes a client may ask for (R-123, RFC 6749 §3.3).
func TestScopeCovers(t *testing.T) {
	for _, c := range []struct {
		has, asked Scope
		want       bool
	}{
		{ScopeSCIM, ScopeSCIM, true},
		{ScopeSCIM, ScopeUsersRead, true},
		{ScopeSCIM, ScopeResources, true},
		{ScopeSCIM, ScopePlatform, false},
		{ScopeSCIM, "nonsense", false},
		{ScopeSCIM, "nonsense:read", false},
		{ScopeSCIMRead, ScopeGroupsRead, true},
		{ScopeSCIMRead, ScopeGroups, false},
		{ScopeSCIMRead, ScopeSCIM, false},
		{ScopeUsers, ScopeUsersRead, true},
		{ScopeUsers, ScopeGroupsRead, false},
		{ScopeUsersRead, ScopeUsers, false},
		{ScopeMe, ScopeMe, true},
		{ScopeMe, ScopeUsersRead, false},
		{ScopeSCIM, ScopeMe, false},
	} {
		if got := c.has.covers(c.asked); got != c.want {
			t.Errorf("%s covers %s: %v, want %v", c.has, c.asked, got, c.want)
		}
	}
}

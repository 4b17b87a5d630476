package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// scimError is what the tests read of an Error.
type scimError struct {
	Schemas  []string `json:"schemas"`
	Status   string   `json:"status"`
	ScimType string   `json:"scimType"`
	Detail   string   `json:"detail"`
}

// wantError compares an answer with a status and a scimType and asks for a
// SCIM body that says why, without echoing much of the input (R-118, S19).
func wantError(t *testing.T, r reply, status int, scimType string) {
	t.Helper()
	var e scimError
	if err := json.Unmarshal([]byte(r.Body), &e); err != nil {
		t.Fatalf("want %d %s, got %d with a body that is not JSON: %.300s", status, scimType, r.Status, r.Body)
	}
	if r.Status != status || e.Status != fmt.Sprint(status) || e.ScimType != scimType || e.Detail == "" {
		t.Errorf("want %d %s, got %d %.300s", status, scimType, r.Status, r.Body)
	}
	if len(e.Schemas) != 1 || e.Schemas[0] != "urn:ietf:params:scim:api:messages:2.0:Error" {
		t.Errorf("schemas of the error: %v", e.Schemas)
	}
	if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/scim+json") {
		t.Errorf("Content-Type %q", got)
	}
	if len(r.Body) > 2000 {
		t.Errorf("the error has %d bytes", len(r.Body))
	}
}

func id(t *testing.T, r reply) string {
	t.Helper()
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(r.Body), &v); err != nil || v.ID == "" {
		t.Fatalf("no id in %d %s", r.Status, r.Body)
	}
	return v.ID
}

// TestSessions13Bodies are the bodies and addresses of session 13 that text
// cannot hold (security S10…S13).
func TestSessions13Bodies(t *testing.T) {
	o := newWorld(t, "", time.Now).mustOrg(t, resources.ProfileRFC)
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"hostile"%s}`
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":%d`, i, i)
		}
		return b.String()
	}
	sized := func(n int) string {
		const frame = `,"title":""`
		return fmt.Sprintf(user, `,"title":"`+strings.Repeat("x", n-len(user)+len("%s")-len(frame))+`"`)
	}
	cases := []struct {
		name, body string
		status     int
		scimType   string
	}{
		{"byte order mark", "\xef\xbb\xbf" + fmt.Sprintf(user, ""), 400, "invalidSyntax"},
		{"2 MiB", sized(2 << 20), 413, ""},
		{"1 MiB and a byte", sized(1<<20 + 1), 413, ""},
		{"1 MiB is read", sized(1 << 20), 400, "invalidValue"}, // the title is too long, the body is not
		{"513 members", fmt.Sprintf(user, members(513)), 400, "invalidSyntax"},
		{"invalid UTF-8", fmt.Sprintf(user, ",\"title\":\"\xff\xfe\""), 400, "invalidSyntax"},
		{"half an escape", fmt.Sprintf(user, `,"title":"\u12"`), 400, "invalidSyntax"},
		{"cut off", fmt.Sprintf(user, "")[:40], 400, "invalidSyntax"},
		{"16 digits", fmt.Sprintf(user, `,"n":1234567890123456`), 400, "invalidSyntax"},
		{"a million brackets", strings.Repeat("[", 1_000_000), 400, "invalidSyntax"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, o.must(t, "POST", "/Users", c.body), c.status, c.scimType)
		})
	}
	if l := o.list(t, "/Users"); l.TotalResults != 0 {
		t.Errorf("%d users were stored", l.TotalResults)
	}
}

// TestSessions13Filters are filters made to hurt (security S13).
func TestSessions13Filters(t *testing.T) {
	o := newWorld(t, "", time.Now).mustOrg(t, resources.ProfileRFC)
	or := strings.TrimSuffix(strings.Repeat(`title eq "a" or `, 60), " or ")
	cases := map[string]string{
		"5,000 characters":  `userName eq "` + strings.Repeat("x", 5000) + `"`,
		"3,000 brackets":    strings.Repeat("(", 3000) + `userName pr` + strings.Repeat(")", 900),
		"depth":             strings.Repeat("(", 17) + "userName pr" + strings.Repeat(")", 17),
		"not and not":       strings.Repeat("not(", 800) + "x",
		"60 comparisons":    or,
		"closing brackets":  "userName pr)))",
		"half a value path": `emails[type eq "work"`,
		"no operand":        "and",
		"empty":             " ",
	}
	for name, filter := range cases {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			wantError(t, o.must(t, "GET", "/Users?filter="+url.QueryEscape(filter), ""), 400, "invalidFilter")
			if d := time.Since(began); d > 2*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// TestSessions13OtherTenant asks for what another organization has: every
// answer is the one for an id that nobody has, byte for byte (security S1, S3,
// S20, R-121), and nothing of the other organization changes.
func TestSessions13OtherTenant(t *testing.T) {
	for store, redis := range stores(t) {
		t.Run(store, func(t *testing.T) {
			w := newWorld(t, redis, time.Now)
			ours, theirs := w.mustOrg(t, resources.ProfileRFC), w.mustOrg(t, resources.ProfileRFC)
			user := id(t, theirs.must(t, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"theirs@`+theirs.Domain+`"}`))
			group := id(t, theirs.must(t, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"theirs","members":[{"value":"`+user+`"}]}`))
			mine := id(t, ours.must(t, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"ours"}`))
			before := theirs.must(t, "GET", "/Users/"+user, "").Body + theirs.must(t, "GET", "/Groups/"+group, "").Body
			// The same ids but for the random part, so that only existence differs.
			nobody := map[string]string{user: stranger(user), group: stranger(group)}
			for _, c := range foreignRequests(user, group, mine) {
				got := ours.must(t, c.method, c.path, c.body)
				path, body := c.path, c.body
				for known, unknown := range nobody {
					path, body = strings.ReplaceAll(path, known, unknown), strings.ReplaceAll(body, known, unknown)
				}
				want := ours.must(t, c.method, path, body)
				text := got.Body
				for known, unknown := range nobody {
					text = strings.ReplaceAll(text, known, unknown)
				}
				if got.Status != want.Status || text != want.Body || got.Header.Get("Usher-Error-Code") != want.Header.Get("Usher-Error-Code") {
					t.Errorf("%s %s: theirs gives %d %s\nnobody's gives %d %s", c.method, c.path, got.Status, got.Body, want.Status, want.Body)
				}
				if got.Status != c.status {
					t.Errorf("%s %s: want %d, got %d %s", c.method, c.path, c.status, got.Status, got.Body)
				}
			}
			if after := theirs.must(t, "GET", "/Users/"+user, "").Body + theirs.must(t, "GET", "/Groups/"+group, "").Body; after != before {
				t.Errorf("the other organization changed:\n%s\n%s", before, after)
			}
			theirs.Client.Token = ours.Client.Token // our token on their address
			got := theirs.must(t, "GET", "/Users/"+user, "")
			theirs.Client.BaseURL = w.base + "/orgs/no-such-organization/scim/v2"
			want := theirs.must(t, "GET", "/Users/"+user, "")
			if got.Status != want.Status || got.Body != want.Body || got.Status < 400 {
				t.Errorf("their address: %d %s\nno address: %d %s", got.Status, got.Body, want.Status, want.Body)
			}
		})
	}
}

// stranger changes an id into one of the same kind that nobody has.
func stranger(id string) string {
	return id[:12] + strings.Map(func(r rune) rune {
		if r == 'v' {
			return '0'
		}
		return 'v'
	}, id[12:19]) + id[19:]
}

type foreignRequest struct {
	method, path, body string
	status             int
}

func foreignRequests(user, group, mine string) []foreignRequest {
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
	const put = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:%s"],"userName":"hijacked","displayName":"hijacked"}`
	return []foreignRequest{
		{"GET", "/Users/" + user, "", 404},
		{"HEAD", "/Users/" + user, "", 404},
		{"PUT", "/Users/" + user, fmt.Sprintf(put, "User"), 404},
		{"PATCH", "/Users/" + user, fmt.Sprintf(patch, `{"op":"replace","path":"active","value":false}`), 404},
		{"DELETE", "/Users/" + user, "", 404},
		{"GET", "/Groups/" + group, "", 404},
		{"PUT", "/Groups/" + group, fmt.Sprintf(put, "Group"), 404},
		{"PATCH", "/Groups/" + group, fmt.Sprintf(patch, `{"op":"replace","path":"displayName","value":"x"}`), 404},
		{"PATCH", "/Groups/" + group, fmt.Sprintf(patch, `{"op":"remove","path":"members"}`), 404},
		{"PATCH", "/Groups/" + group, fmt.Sprintf(patch, `{"op":"remove","path":"members[value eq \"`+user+`\"]"}`), 404},
		{"DELETE", "/Groups/" + group, "", 404},
		{"GET", "/Users?filter=id+eq+%22" + user + "%22", "", 200},
		{"GET", "/Groups?filter=members+eq+%22" + user + "%22", "", 200},
		{"PATCH", "/Groups/" + mine, fmt.Sprintf(patch, `{"op":"add","path":"members","value":[{"value":"`+user+`"}]}`), 400},
		{"PATCH", "/Groups/" + mine, fmt.Sprintf(patch, `{"op":"add","path":"members","value":[{"value":"`+group+`"}]}`), 400},
		{"PUT", "/Groups/" + mine, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"ours","members":[{"value":"` + user + `"}]}`, 400},
	}
}

package conformance_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usher-scim/usher/conformance"
)

// answer is a server that always gives one reply.
func answer(t *testing.T, status int, header map[string]string, body string) conformance.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Target", r.RequestURI)
		w.Header().Set("X-Type", r.Header.Get("Content-Type"))
		w.Header().Set("X-Auth", r.Header.Get("Authorization"))
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		if _, err := w.Write([]byte(body)); err != nil {
			t.Errorf("write: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	return conformance.Client{BaseURL: server.URL, Token: "secret", HTTP: server.Client()}
}

// TestPlayExpectations shows for every kind of expectation an answer that
// fits and one that does not: most of it is the table.
func TestPlayExpectations(t *testing.T) {
	const got = `{"id":"u1","n":2,"active":true,"empty":[],"null":null,"list":["a","b","c"],"emails":[{"type":"work","v":"1"},{"type":"home","v":"2"}]}`
	cases := []struct{ name, want, fault string }{
		{"members in part", `{"id":"u1"}`, ""},
		{"wrong text", `{"id":"u2"}`, `body.id: want "u2", got "u1"`},
		{"number is not text", `{"n":"2"}`, `body.n: want "2", got 2`},
		{"number", `{"n":2}`, ""},
		{"boolean is not text", `{"active":"true"}`, "body.active"},
		{"spelling of names", `{"ID":"u1"}`, "body.ID: want"},
		{"missing member", `{"x":1}`, "body.x: want 1, got nothing"},
		{"absent", `{"x":"$absent"}`, ""},
		{"not absent", `{"id":"$absent"}`, "body.id: want $absent"},
		{"null is not absent", `{"null":"$absent"}`, "body.null"},
		{"empty", `{"empty":"$empty","null":"$empty","x":"$empty"}`, ""},
		{"not empty", `{"list":"$empty"}`, "body.list"},
		{"any", `{"id":"$any","n":"$any","list":"$any"}`, ""},
		{"not any", `{"empty":"$any"}`, "body.empty"},
		{"types", `{"id":"$string","n":"$number"}`, ""},
		{"not a number", `{"id":"$number"}`, "body.id"},
		{"has", `{"id":"$has u"}`, ""},
		{"has not", `{"id":"$has x"}`, "body.id"},
		{"same", `{"id":"$same known"}`, ""},
		{"not the same", `{"id":"$same other"}`, `body.id: want $same other ("zz")`},
		{"differs", `{"id":"$differs other"}`, ""},
		{"does not differ", `{"id":"$differs known"}`, "body.id"},
		{"unknown variable", `{"id":"$same nobody"}`, "{nobody} has no value"},
		{"unknown variable in text", `{"id":"{nobody}"}`, "{nobody} has no value"},
		{"unknown expectation", `{"id":"$sometimes"}`, "is not known"},
		{"variable", `{"id":"{known}"}`, ""},
		{"array", `{"list":["a","b","c"]}`, ""},
		{"array order", `{"list":["b","a","c"]}`, "body.list[0]"},
		{"array length", `{"list":["a","b"]}`, "want 2 elements, got 3"},
		{"unordered", `{"list":["$unordered","c","b","a"]}`, ""},
		{"unordered needs all", `{"list":["$unordered","c","b"]}`, "want 2 elements"},
		{"contains", `{"emails":["$contains",{"type":"home","v":"2"}]}`, ""},
		{"contains not", `{"emails":["$contains",{"type":"home","v":"1"}]}`, "no element like"},
		{"one element each", `{"list":["$contains","a","a"]}`, "no element like"},
		{"lacks", `{"list":["$lacks","z"]}`, ""},
		{"lacks not", `{"list":["$lacks","a"]}`, "must have no element"},
		{"length", `{"list":["$len",3]}`, ""},
		{"not the length", `{"list":["$len",2]}`, "want length 2, got 3"},
		{"only", `{"emails":[{"$only":true,"type":"work","v":"1"},"$any"]}`, ""},
		{"more than only", `{"emails":[{"$only":true,"type":"work"},"$any"]}`, "body.emails[0].v: must not be there"},
		{"not JSON", `{`, "is not JSON"},
	}
	client := answer(t, 200, nil, got)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			archive := "-- x --\nGET {base}/x\n\n=> 200\n\n" + c.want + "\n"
			err := conformance.Play(t.Context(), client, "test", []byte(archive), map[string]string{"known": "u1", "other": "zz"})
			check(t, err, c.fault)
		})
	}
}

func check(t *testing.T, err error, fault string) {
	t.Helper()
	switch {
	case fault == "" && err != nil:
		t.Errorf("want no error, got %v", err)
	case fault != "" && err == nil:
		t.Errorf("want an error with %q, got none", fault)
	case fault != "" && !strings.Contains(err.Error(), fault):
		t.Errorf("want an error with %q, got %v", fault, err)
	}
}

// TestPlayMessage looks at status, headers, bodies and what is sent.
func TestPlayMessage(t *testing.T) {
	client := answer(t, 409, map[string]string{"ETag": `W/"7"`}, `{"v":"W/\"7\""}`)
	cases := []struct{ name, exchange, fault string }{
		{"status", "GET {base}/x\n\n=> 409", ""},
		{"one of several", "GET {base}/x\n\n=> 200|409", ""},
		{"wrong status", "GET {base}/x\n\n=> 201", "want [201], got 409"},
		{"body of an error is shown", "GET {base}/x\n\n=> 201", `{"v":"W/\"7\""}`},
		{"header", "GET {base}/x\n\n=> 409\nETag: W/\"7\"", ""},
		{"wrong header", "GET {base}/x\n\n=> 409\nETag: W/\"8\"", "header ETag"},
		{"header with star", "GET {base}/x\n\n=> 409\nETag: W/*", ""},
		{"header absent", "GET {base}/x\n\n=> 409\nX-Not: -", ""},
		{"header not absent", "GET {base}/x\n\n=> 409\nETag: -", "must be absent"},
		{"header missing", "GET {base}/x\n\n=> 409\nX-Not: a", "got nothing"},
		{"captured header in the body", "GET {base}/x\n\n=> 409\nETag: {set:e}\n\n{\"v\":\"{e}\"}", ""},
		{"header equals", "GET {base}/x\n\n=> 409\nX-Target: = target", ""},
		{"header does not equal", "GET {base}/x\n\n=> 409\nX-Target: != target", "header X-Target"},
		{"no body wanted", "GET {base}/x\n\n=> 409\n\n(empty)", "want none"},
		{"target is encoded", "GET {base}/x?filter=a eq \"é\"\n\n=> 409\nX-Target: /x?filter=a%20eq%20%22%C3%A9%22", ""},
		{"escapes stay", "GET {base}/x%00?a+b\n\n=> 409\nX-Target: /x%00?a+b", ""},
		{"variable in the target", "GET {base}/x?{space}\n\n=> 409\nX-Target: /x?a+%26", ""},
		{"media type by default", "POST {base}/x\n\n{}\n\n=> 409\nX-Type: application/scim+json", ""},
		{"media type of the recording", "POST {base}/x\nContent-Type: text/plain\n\n{}\n\n=> 409\nX-Type: text/plain", ""},
		{"token", "GET {base}/x\n\n=> 409\nX-Auth: Bearer secret", ""},
		{"no token", "GET {base}/x\nAuthorization: -\n\n=> 409\nX-Auth:", ""},
		{"no expectation", "GET {base}/x", "there is no expectation"},
		{"no status", "GET {base}/x\n\n=> fine", "is not a status"},
		{"no request line", "GET\n\n=> 200", "is not a request line"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			archive := "-- x --\n" + c.exchange + "\n"
			err := conformance.Play(t.Context(), client, "test", []byte(archive), map[string]string{"target": "/x", "space": "a &"})
			check(t, err, c.fault)
		})
	}
}

// TestPlayerPlaysWhatCameBefore asks for the last exchange alone: it needs
// what the first one captures, and tells of its failure.
func TestPlayerPlaysWhatCameBefore(t *testing.T) {
	const archive = "T\nprofile: entra\nheader: X-A: b\n\n-- one --\nGET {base}/x\n\n=> 200\n\n{\"id\":\"$set id\"}\n" +
		"-- two --\nGET {base}/y\n\n=> 200\n\n{\"id\":\"$same id\",\"x\":1}\n-- three --\nGET {base}/{id}\n\n=> 200\nX-Target: /u1\n"
	p, err := conformance.NewPlayer(answer(t, 200, nil, `{"id":"u1"}`), []byte(archive), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Recording.Profile + "," + p.Recording.Title + "," + p.Recording.Header.Get("X-A"); got != "entra,T,b" {
		t.Errorf("comment: got %s", got)
	}
	check(t, p.Play(t.Context(), 2), `exchange "two"`)
	check(t, p.Play(t.Context(), 0), "")
	check(t, p.Play(t.Context(), 1), "body.x")
	check(t, p.Play(t.Context(), 2), "")
}

package redisurl

import (
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]URL{
		"redis://h":                                                    {Addrs: []string{"h:6379"}},
		"redis://:p%40ss@h:1/3?client_name=x":                          {Password: "p@ss", Addrs: []string{"h:1"}, DB: 3, Options: "client_name=x"},
		"rediss://user:a:b@10.0.0.5:6380/":                             {TLS: true, User: "user", Password: "a:b", Addrs: []string{"10.0.0.5:6380"}},
		"redis://[::1]:7":                                              {Addrs: []string{"[::1]:7"}},
		"redis+cluster://h1:1,h2,[fe80::1]":                            {Kind: Cluster, Addrs: []string{"h1:1", "h2:6379", "[fe80::1]:6379"}},
		"rediss+cluster://u:p@h1:1,h1:1/0":                             {Kind: Cluster, TLS: true, User: "u", Password: "p", Addrs: []string{"h1:1"}},
		"redis+sentinel://:p@h1,h2:5/direc.t/2":                        {Kind: Sentinel, Password: "p", Addrs: []string{"h1:26379", "h2:5"}, Name: "direc.t", DB: 2},
		"rediss+sentinel://h/n?sentinel_password=q%26&sentinel_user=s": {Kind: Sentinel, TLS: true, Addrs: []string{"h:26379"}, Name: "n", SentinelUser: "s", SentinelPassword: "q&"},
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q): %s", text, diff)
		}
	}
}

func TestParseSaysWhatIsWrongAndQuotesNothing(t *testing.T) {
	for text, want := range map[string]string{
		"":                                            "must begin with",
		"hunter2":                                     "must begin with",
		"http://:hunter2@h":                           "must begin with",
		"redis+cluster:/:hunter2@h":                   "must begin with",
		"redis://":                                    "no host",
		"redis://:hunter2@":                           "no host",
		"redis://:hun/ter2@h:1":                       "percent-encode",
		"redis://:hun#ter2@h:1":                       "%23",
		"redis://:hunter2@h:1,h:2":                    "redis+cluster://",
		"redis://:hunter2@h:hunter2":                  "host:port",
		"redis://:hunter2@h:0":                        "host:port",
		"redis://:hunter2@h:70000":                    "host:port",
		"redis://:hunter2@[::1":                       "host:port",
		"redis://:hunter2@[hunter2]:1":                "host:port",
		"redis://:hunter2@h one":                      "host:port",
		"redis://:hunter2@h/hunter2":                  "number of a database",
		"redis://:100%hunter2@h":                      "%25",
		"redis+cluster://:hunter2@h/1":                "only number 0",
		"redis+cluster://:hunter2@h,":                 "host:port",
		"redis+cluster://:hunter2@h?x=hunter2":        "not known",
		"redis+cluster://h?sentinel_password=hunter2": "a cluster has none",
		"redis+sentinel://:hunter2@h":                 "must name the primary",
		"redis+sentinel://:hunter2@h//1":              "must name the primary",
		"redis+sentinel://:hunter2@h/a b":             "must name the primary",
		"redis+sentinel://h/n?%zz=hunter2":            "cannot be read",
		"redis+sentinel://h/n?hunter2=1":              "not known",
		"redis+sentinel://h/n?sentinel_user=hunter2":  "without a sentinel_password",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want an error with %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Parse(%q) quotes the password: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"redis://:p@h:1/0", "rediss://u:p%20@h", "redis+cluster://:p@h:1,[::1]:2", "redis+sentinel://h,i/n/1?sentinel_password=%25",
		"redis://@h", "redis://%@h", "redis+cluster://,", "redis+sentinel:///n", "redis://h?a=b&c", "redis://u@h",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse(text)
		if err != nil {
			return
		}
		if len(u.Addrs) == 0 {
			t.Fatalf("%q has no address", text)
		}
		for _, a := range u.Addrs {
			if _, _, err := net.SplitHostPort(a); err != nil {
				t.Fatalf("%q has the address %q: %v", text, a, err)
			}
		}
		again, err := Parse(u.String())
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", text, u, err)
		}
		if diff := cmp.Diff(u, again); diff != "" {
			t.Fatalf("%q is written as %q, which is another: %s", text, u, diff)
		}
	})
}

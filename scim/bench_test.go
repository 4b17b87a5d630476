package scim_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/scim"
)

func fullUser(name string) string {
	return userBody(name, `,"externalId":"`+name+`","active":true,"displayName":"Amélie Roux","title":"Engineer","locale":"fr-FR",
		"name":{"formatted":"Amélie Roux","familyName":"Roux","givenName":"Amélie"},
		"emails":[{"primary":true,"type":"work","value":"`+name+`@acme.example"}],
		"phoneNumbers":[{"type":"mobile","value":"+33600000001"}],
		"addresses":[{"type":"work","formatted":"Lyon 3","country":"FR"}],
		"`+enterpriseURN+`":{"department":"Support","employeeNumber":"00417","costCenter":"C1"}`)
}

// bench drives one request again and again, made anew each time by next.
func (h *house) bench(b *testing.B, method string, next func(i int) (path, body string), status int) {
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		path, body := next(i)
		r := httptest.NewRequest(method, "/orgs/acme/scim/v2"+path, strings.NewReader(body))
		r.Header["Authorization"] = []string{"Bearer " + h.token["acme"]}
		r.Header["Content-Type"] = []string{"application/scim+json"}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
}

// onStores runs a benchmark on the embedded store and on a real Redis.
func onStores(b *testing.B, run func(b *testing.B, h *house)) {
	b.Run("embedded", func(b *testing.B) { run(b, newHouse(b, "", scim.Config{})) })
	b.Run("redis", func(b *testing.B) { run(b, newHouse(b, redistest.Start(b), scim.Config{})) })
}

func BenchmarkGetUser(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		id := h.ask("POST", "/Users", fullUser("bench")).want(201).str("id")
		h.bench(b, "GET", func(int) (string, string) { return "/Users/" + id, "" }, 200)
	})
}

func BenchmarkGetUserProjected(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		id := h.ask("POST", "/Users", fullUser("bench")).want(201).str("id")
		h.bench(b, "GET", func(int) (string, string) { return "/Users/" + id + "?attributes=userName,emails.value", "" }, 200)
	})
}

func BenchmarkPostUser(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		h.bench(b, "POST", func(i int) (string, string) { return "/Users", fullUser(fmt.Sprint("u", i)) }, 201)
	})
}

func BenchmarkPatchUser(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		id := h.ask("POST", "/Users", fullUser("bench")).want(201).str("id")
		h.bench(b, "PATCH", func(i int) (string, string) {
			return "/Users/" + id, ops(`{"op":"replace","path":"title","value":"` + itoa(i) + `"}`)
		}, 200)
	})
}

func BenchmarkFindByUserName(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		h.ask("POST", "/Users", fullUser("bench")).want(201)
		h.bench(b, "GET", func(int) (string, string) { return "/Users?filter=userName+eq+%22bench%22", "" }, 200)
	})
}

func BenchmarkList100(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		for i := range 200 {
			h.ask("POST", "/Users", fullUser(fmt.Sprint("u", i))).want(201)
		}
		h.bench(b, "GET", func(int) (string, string) { return "/Users?count=100", "" }, 200)
	})
}

// The same change in a small group, answered 200 with the group, and in one of
// more than 1 000 members, answered 204.
func BenchmarkPatchMember(b *testing.B) {
	for _, size := range []int{10, 3000} {
		b.Run(itoa(size), func(b *testing.B) { benchPatchMember(b, size) })
	}
}

func benchPatchMember(b *testing.B, size int) {
	onStores(b, func(b *testing.B, h *house) {
		u, g := h.user("u"), h.group("G")
		h.manyMembers(g, size)
		status := 200
		if size > 1000 {
			status = 204
		}
		h.bench(b, "PATCH", func(i int) (string, string) {
			op := "add"
			if i%2 == 1 {
				op = "remove"
			}
			return "/Groups/" + g, ops(`{"op":"` + op + `","path":"members","value":` + memberList(u) + `}`)
		}, status)
	})
}

// The time of one operation in Bulks of a hundred; compare with
// BenchmarkPostUserAtOnce, two Bulks against sixteen single requests at once.
func BenchmarkBulk(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		var n atomic.Int64
		b.ReportAllocs()
		b.SetParallelism(1)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				var list []string
				for len(list) < 100 && (len(list) == 0 || pb.Next()) {
					id := fmt.Sprint("u", n.Add(1))
					list = append(list, create(id, "/Users", fullUser(id)))
				}
				r := h.ask("POST", "/Bulk", bulkBody(list...)).want(200)
				if s := r.str("Operations", len(list)-1, "status"); s != "201" {
					b.Errorf("status %s", s)
				}
			}
		})
	})
}

func BenchmarkPostUserAtOnce(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		var n atomic.Int64
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if r := h.ask("POST", "/Users", fullUser(fmt.Sprint("u", n.Add(1)))); r.Code != 201 {
					b.Errorf("status %d", r.Code)
				}
			}
		})
	})
}

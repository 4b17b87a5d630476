package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	userURN         = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN        = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchURN        = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	licenceURN      = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:User"
	groupLicenceURN = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:Group"
	callingURN      = "urn:ietf:params:scim:schemas:extension:UsherCalling:2.0:User"
	seatsURN        = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:License"
)

const (
	tenants   = 4
	seats     = 3 // of each product in each organization
	byAsking  = "gold"
	byGroup   = "meetings"
	registers = 3 // users whose versions are fought for
	joiners   = 4 // users who join and leave groups
	phones    = 2 // telephone numbers that are fought for
	bosses    = 3 // users who become administrators and cease to be
)

// tenant is one organization of a run.
type tenant struct {
	slug          string
	token, strict string
	registers     []string // ids of users
	joiners       []string
	groups        []string // the last one licenses its members
	phones        []string
	bosses        []string
}

func (t *tenant) path(p string) string { return "/orgs/" + t.slug + "/scim/v2" + p }

// body makes a JSON body.
func body(v map[string]any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error() // a body that no server takes
	}
	return string(text)
}

func patch(op map[string]any) string {
	return body(map[string]any{"schemas": []string{patchURN}, "Operations": []any{op}})
}

// must sends a request that has to succeed, again while it is answered 503, and
// gives the answer's JSON.
func (r *run) must(ctx context.Context, method, path, token, payload string) (map[string]any, error) {
	var a answer
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if a = r.send(ctx, 0, method, path, token, payload); a.status != http.StatusServiceUnavailable && a.status != 0 {
			break
		}
	}
	if a.status < 200 || a.status > 299 {
		return nil, fmt.Errorf("%s %s: answer %d %s", method, path, a.status, trim(a.body))
	}
	out := map[string]any{}
	if len(a.body) > 0 {
		if err := json.Unmarshal(a.body, &out); err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return out, nil
}

// found notes the first error of several steps.
type found struct{ err error }

func (f *found) text(m map[string]any, err error, name string) string {
	if f.err == nil {
		f.err = err
	}
	s, _ := m[name].(string)
	return s
}

// settle makes an organization with everything clients need.
func (r *run) settle(ctx context.Context, slug string) (*tenant, error) {
	api := "/api/v1/orgs"
	t := &tenant{slug: slug}
	var f found
	post := func(path, payload, name string) string {
		if f.err != nil {
			return ""
		}
		m, err := r.must(ctx, http.MethodPost, path, r.site.apiToken, payload)
		return f.text(m, err, name)
	}
	post(api, body(map[string]any{"slug": slug}), "slug")
	t.token = post(api+"/"+slug+"/tokens", body(map[string]any{"name": "provider"}), "token")
	t.strict = post(api+"/"+slug+"/tokens", body(map[string]any{"name": "strict", "strict": true}), "token")
	for _, sku := range []string{byAsking, byGroup} {
		post(api+"/"+slug+"/subscriptions", body(map[string]any{"sku": sku, "units": seats}), "id")
	}
	made := func(path string, doc map[string]any) string {
		if f.err != nil {
			return ""
		}
		m, err := r.must(ctx, http.MethodPost, t.path(path), t.token, body(doc))
		return f.text(m, err, "id")
	}
	for i := range registers {
		t.registers = append(t.registers, made("/Users", map[string]any{"schemas": []string{userURN}, "userName": fmt.Sprintf("register-%d", i)}))
	}
	for i := range joiners {
		t.joiners = append(t.joiners, made("/Users", map[string]any{"schemas": []string{userURN}, "userName": fmt.Sprintf("joiner-%d", i)}))
	}
	for i := range bosses {
		t.bosses = append(t.bosses, made("/Users", map[string]any{"schemas": []string{userURN}, "userName": fmt.Sprintf("boss-%d", i)}))
	}
	for i := range 2 {
		t.groups = append(t.groups, made("/Groups", map[string]any{"schemas": []string{groupURN}, "displayName": fmt.Sprintf("Team %d", i)}))
	}
	t.groups = append(t.groups, made("/Groups", map[string]any{
		"schemas": []string{groupURN, groupLicenceURN}, "displayName": "Licensed",
		groupLicenceURN: map[string]any{"licenses": []string{byGroup}},
	}))
	if f.err == nil {
		f.err = r.equip(ctx, t)
	}
	if f.err != nil {
		return nil, fmt.Errorf("organization %s: %w", slug, f.err)
	}
	return t, nil
}

// equip gives an organization its first administrator, links to hand out, and
// telephone numbers, which no other one has.
func (r *run) equip(ctx context.Context, t *tenant) error {
	at := "/api/v1/orgs/" + t.slug
	if _, err := r.must(ctx, http.MethodPut, at+"/admins/"+t.bosses[0]+"/roles/full_admin", r.site.apiToken, ""); err != nil {
		return err
	}
	if _, err := r.must(ctx, http.MethodPatch, at+"/settings", r.site.apiToken, body(map[string]any{"exportActivationLinks": true})); err != nil {
		return err
	}
	if _, err := r.must(ctx, http.MethodPost, at+"/subscriptions", r.site.apiToken, body(map[string]any{"sku": "calling", "units": 100})); err != nil {
		return err
	}
	m, err := r.must(ctx, http.MethodPost, at+"/locations", r.site.apiToken, body(map[string]any{"name": "Paris", "country": "FR"}))
	if err != nil {
		return err
	}
	for range phones {
		t.phones = append(t.phones, fmt.Sprintf("+33142%06d", 100_000+r.site.phones.Add(1)))
	}
	m, err = r.must(ctx, http.MethodPost, at+"/numbers", r.site.apiToken, body(map[string]any{"location": textOf(m, "id"), "numbers": t.phones}))
	if err == nil && m["failed"] != 0.0 {
		err = fmt.Errorf("the numbers are refused: %v", m)
	}
	return err
}

// prepare makes what all runs of a site share.
func (r *run) prepare(ctx context.Context) error {
	_, err := r.must(ctx, http.MethodPut, "/api/v1/products/"+byAsking, r.site.apiToken, body(map[string]any{"name": "Gold", "paid": true}))
	return err
}

// jsonOf reads an answer's body; nil when there is none.
func jsonOf(a answer) map[string]any {
	var out map[string]any
	if err := json.Unmarshal(a.body, &out); err != nil {
		return nil
	}
	return out
}

func textOf(m map[string]any, path ...string) string {
	for len(path) > 1 {
		m, _ = m[path[0]].(map[string]any)
		path = path[1:]
	}
	s, _ := m[path[0]].(string)
	return s
}

func listOf(m map[string]any, name string) []map[string]any {
	var out []map[string]any
	list, _ := m[name].([]any)
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// quoted is a filter's value in a query.
func quoted(s string) string { return "%22" + strings.ReplaceAll(s, "@", "%40") + "%22" }

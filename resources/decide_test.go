package resources

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// now is the time of all decisions in these tests.
const decidedAt = int64(1_800_000_000_000)

// asked puts together a question over the builtin catalogue, with subscriptions
// to everything but voice: s-<sku> for ever, and e-suite that ends.
func asked(with func(q *question)) *question {
	at := time.UnixMilli(decidedAt)
	p := &Plan{groups: map[string]*Template{
		"g1": {ID: "t1", Type: TemplateGroup, SKUs: []string{"meetings", "host"}},
		"g2": {ID: "t2", Type: TemplateGroup, SKUs: []string{"host", "basic"}},
	}}
	p.org = &Template{ID: "t0", Type: TemplateOrg, SKUs: []string{"suite"}}
	for _, sku := range []string{"suite", "calling", "meetings", "host", "webinars"} {
		p.Subscriptions = append(p.Subscriptions, Subscription{ID: "s-" + sku, SKU: sku, Model: ModelSeats, Units: 10, Ends: at.Add(30 * 24 * time.Hour)})
	}
	p.Subscriptions = append(p.Subscriptions,
		Subscription{ID: "e-suite", SKU: "suite", Model: ModelSeats, Units: 10, Ends: at.Add(24 * time.Hour)},
		Subscription{ID: "old-voice", SKU: "voice", Model: ModelSeats, Units: 10, Ends: at.Add(-time.Hour)})
	q := &question{catalogue: newCatalogue(builtinProducts()), plan: p, known: &knowledge{}, now: decidedAt, before: &Standing{}}
	with(q)
	return q
}

// has is a standing with assignments like "suite@s-suite:scim,group:g1" that are
// assigned, or, with "!issue" in place of "@subscription", that failed.
func has(texts ...string) *Standing {
	s := &Standing{}
	for i, text := range texts {
		head, sources, _ := strings.Cut(text, ":")
		a := Assignment{Status: Assigned, Asked: int64(100 + i), Since: int64(100 + i)}
		var ok bool
		if a.SKU, a.Subscription, ok = strings.Cut(head, "@"); !ok {
			var issue string
			if a.SKU, issue, ok = strings.Cut(head, "!"); ok {
				a.Status, a.Issue = Failed, Code(issue)
			}
		}
		for src := range strings.SplitSeq(sources, ",") {
			typ, ref, _ := strings.Cut(src, ":")
			a.Sources = append(a.Sources, Source{Type: SourceType(typ), Ref: ref, Since: 50})
		}
		s.Licences = append(s.Licences, a)
	}
	return s
}

// words render assignments as has takes them.
func words(list []Assignment) string {
	var out []string
	for i := range list {
		a := &list[i]
		text := a.SKU
		switch {
		case a.Status == Failed:
			text += "!" + string(a.Issue)
		case a.Subscription != "":
			text += "@" + a.Subscription
		}
		var sources []string
		for _, s := range a.Sources {
			sources = append(sources, s.String())
		}
		out = append(out, text+":"+strings.Join(sources, ","))
	}
	return strings.Join(out, " ")
}

// TestDecide: who has which licence, rule by rule.
func TestDecide(t *testing.T) {
	full := func(subs ...string) *knowledge {
		k := &knowledge{full: map[string]bool{}}
		for _, s := range subs {
			k.full[seatPool(s)] = true
		}
		return k
	}
	scim := func(skus ...string) wishes { return wishes{licences: skus} }
	tests := map[string]struct {
		with func(q *question)
		want string
		kept string
	}{
		"BR-154 compared without case, told as the catalogue spells it": {
			with: func(q *question) { q.wish = scim("SUITE", "suite") }, want: "suite@s-suite:scim",
		},
		"BR-154 known and not subscribed is an issue": {
			with: func(q *question) { q.wish = scim("voice") }, want: "voice!package_not_subscribed:scim",
		},
		"BR-154 stored and unknown now is an issue": {
			with: func(q *question) { q.wish = scim("gone", "suite") }, want: "gone!sku_unknown:scim suite@s-suite:scim",
		},
		"BR-167 free products need no subscription": {
			with: func(q *question) { q.wish = scim("basic") }, want: "basic:scim",
		},
		"BR-152 the one that ends last": {
			with: func(q *question) { q.wish = scim("suite") }, want: "suite@s-suite:scim",
		},
		"BR-152 the one that ends last with free units": {
			with: func(q *question) { q.wish, q.known = scim("suite"), full("s-suite") }, want: "suite@e-suite:scim",
		},
		"BR-152 one that never ends is last": {
			with: func(q *question) {
				q.wish = scim("suite")
				q.plan.Subscriptions = append(q.plan.Subscriptions, Subscription{ID: "ever", SKU: "Suite", Model: ModelUsage})
			}, want: "suite@ever:scim",
		},
		"BR-152 the one that was picked": {
			with: func(q *question) {
				q.direct, q.picks = []string{"suite"}, map[string]string{"suite": "e-suite"}
			}, want: "suite@e-suite:direct",
		},
		"BR-152 the one that was picked and is full": {
			with: func(q *question) {
				q.direct, q.picks, q.known = []string{"suite"}, map[string]string{"suite": "e-suite"}, full("e-suite")
			}, want: "suite!no_seats_available:direct",
		},
		"BR-152 who has a seat keeps it": {
			with: func(q *question) {
				q.before, q.wish, q.known = has("suite@e-suite:scim"), scim("suite"), full("e-suite", "s-suite")
			},
			want: "suite@e-suite:scim",
		},
		"BR-164 shortage leaves others alone": {
			with: func(q *question) { q.wish, q.known = scim("host", "basic"), full("s-host") },
			want: "basic:scim host!no_seats_available:scim",
		},
		"BR-150 a seat that was given back is taken of another": {
			with: func(q *question) {
				q.before, q.wish = has("suite@s-suite:scim"), scim("suite")
				q.known = &knowledge{lost: map[string]bool{seatPool("s-suite"): true}}
			}, want: "suite@e-suite:scim",
		},
		"BR-150 a subscription that ended gives no seats": {
			with: func(q *question) { q.before, q.wish = has("voice@old-voice:scim"), scim("voice") },
			want: "voice!package_not_subscribed:scim",
		},
		"BR-151 any number of sources, one seat": {
			with: func(q *question) {
				q.before, q.wish, q.groups = has("host@s-host:direct"), scim("host"), []string{"g1", "g2"}
			}, want: "basic:group:g2 host@s-host:direct,scim,group:g1,group:g2 meetings@s-meetings:group:g1",
		},
		"BR-151 a source less": {
			with: func(q *question) { q.before = has("host@s-host:direct,scim,group:g1") }, want: "host@s-host:direct",
		},
		"BR-151 the last source takes the licence": {
			with: func(q *question) { q.before = has("host@s-host:scim") }, want: "",
		},
		"BR-151 neither erases the other (domain.md §5.8)": {
			with: func(q *question) {
				q.before, q.wish, q.dropped = has("host@s-host:direct,scim"), scim("host"), []string{"HOST"}
			}, want: "host@s-host:scim",
		},
		"BR-153 excluded by each other": {
			with: func(q *question) {
				list := builtinProducts()
				list[0].Exclusive = []string{"host"}
				q.catalogue, q.wish = newCatalogue(list), scim("host", "basic")
			}, want: "basic!licence_conflict:scim host@s-host:scim",
		},
		"BR-153 add-on without base": {
			with: func(q *question) { q.wish = scim("webinars") }, want: "webinars!licence_prerequisite:scim",
		},
		"BR-153 add-on with base": {
			with: func(q *question) { q.wish = scim("webinars", "host") }, want: "host@s-host:scim webinars@s-webinars:scim",
		},
		"BR-153 add-on whose base has no seat": {
			with: func(q *question) { q.wish, q.known = scim("webinars", "host"), full("s-host") },
			want: "host!no_seats_available:scim webinars!licence_prerequisite:scim",
		},
		"BR-153 two that need each other are a set": {
			with: func(q *question) {
				list := builtinProducts()
				for i := range list {
					switch list[i].SKU {
					case "basic":
						list[i].Requires = []string{"host"}
					case "host":
						list[i].Requires = []string{"basic"}
					}
				}
				q.catalogue, q.wish = newCatalogue(list), scim("basic", "host")
			}, want: "basic:scim host@s-host:scim",
		},
		"BR-153 who lacks a prerequisite keeps nobody away": {
			with: func(q *question) {
				list := builtinProducts()
				list[6].Exclusive = []string{"basic"} // webinars
				q.catalogue, q.before, q.wish = newCatalogue(list), has("webinars!x:scim"), scim("webinars", "basic")
			}, want: "basic:scim webinars!licence_prerequisite:scim",
		},
		"BR-176 two packages: who came first stays": {
			with: func(q *question) {
				q.before, q.wish, q.groups = has("suite@s-suite:scim"), scim("suite"), []string{"g1"}
			},
			want: "host@s-host:group:g1 meetings!licence_conflict:group:g1 suite@s-suite:scim",
		},
		"BR-176 another package replaces the one that was asked for": {
			with: func(q *question) {
				q.before, q.wish = has("suite@s-suite:scim:package"), wishes{pack: "meetings"}
			}, want: "meetings@s-meetings:scim:package",
		},
		"BR-176 the writer of the package is remembered": {
			with: func(q *question) { q.before, q.wish = has("suite@s-suite:direct:package"), wishes{pack: "suite"} },
			want: "suite@s-suite:direct:package",
		},
		"BR-176 who waits for a package keeps the other": {
			with: func(q *question) {
				q.before, q.wish, q.groups, q.known = has("suite!no_seats_available:scim", "meetings@s-meetings:group:g1"), scim("suite"), []string{"g1"}, full("s-suite", "e-suite")
			}, want: "host@s-host:group:g1 meetings@s-meetings:group:g1 suite!no_seats_available:scim",
		},
		"BR-160 the organization's template": {
			with: func(q *question) { q.before.OrgSKUs = []string{"suite"} }, want: "suite@s-suite:org_template:t0",
		},
		"BR-162 a templated group instead of the organization's template": {
			with: func(q *question) {
				q.before, q.groups = has("suite@s-suite:org_template:t0"), []string{"g2"}
				q.before.OrgSKUs = []string{"suite"}
			}, want: "basic:group:g2 host@s-host:group:g2",
		},
		"BR-162 leaving the last templated group restores it": {
			with: func(q *question) {
				q.before = has("basic:group:g2", "host@s-host:group:g2")
				q.before.OrgSKUs = []string{"suite"}
			}, want: "suite@s-suite:org_template:t0",
		},
		"BR-162 a group without a template changes nothing": {
			with: func(q *question) { q.before.OrgSKUs, q.groups = []string{"suite"}, []string{"other"} }, want: "suite@s-suite:org_template:t0",
		},
		"BR-162 what is named always stays": {
			with: func(q *question) {
				q.before, q.wish, q.groups = has("calling@s-calling:direct", "host@s-host:invitation", "webinars@s-webinars:registration"), scim("basic"), []string{"g2"}
			}, want: "basic:scim,group:g2 calling@s-calling:direct host@s-host:invitation,group:g2 webinars@s-webinars:registration",
		},
		"BR-163 groups add to what was named": {
			with: func(q *question) {
				q.before, q.wish, q.groups = has("suite@s-suite:scim"), scim("suite"), []string{"g2"}
				q.before.Origin = OriginExplicit
			}, want: "basic:group:g2 host@s-host:group:g2 suite@s-suite:scim",
		},
		"a named package comes before that of the organization's template": {
			with: func(q *question) {
				q.before, q.wish = has("suite@s-suite:org_template:t0"), wishes{pack: "meetings"}
				q.before.OrgSKUs = []string{"suite"}
			}, want: "meetings@s-meetings:scim:package suite!licence_conflict:org_template:t0",
		},
		"BR-165 what is held counts": {
			with: func(q *question) {
				q.before = has("host@s-host:group:g9")
				q.before.OrgSKUs = []string{"suite"}
				q.holds = []*Hold{{Alert: "a", Source: Source{Type: SourceGroup, Ref: "g9"}, SKUs: []string{"host"}}}
			}, want: "host@s-host:group:g9",
		},
		"BR-150 inactive users keep their seats": {
			with: func(q *question) { q.inactive, q.before, q.wish = true, has("host@s-host:scim"), scim("host") },
			want: "host@s-host:scim",
		},
		"BR-150 inactive users give their seats back if the organization says so": {
			with: func(q *question) {
				q.inactive, q.before, q.wish = true, has("host@s-host:direct,scim"), scim("host")
				q.plan.Settings.ReleaseSeatsOnInactive = true
			}, kept: "host!:direct,scim",
		},
		"§3.1 created inactive: no seat until active": {
			with: func(q *question) { q.inactive, q.wish, q.direct = true, scim("basic"), []string{"host"} },
			kept: "basic!:scim host!:direct",
		},
		"BR-242 who is active again gets what was kept": {
			with: func(q *question) { q.before.Kept = has("host!:direct").Licences }, want: "host@s-host:direct",
		},
		"BR-190 calling without what it needs takes no seat": {
			with: func(q *question) {
				q.wish, q.calling = scim("calling", "host"), callingAnswer{issue: CodeNumberOrExtension, attribute: "phoneNumber"}
			}, want: "calling!number_or_extension_required:scim host@s-host:scim",
		},
		"entitlements ask for the same": {
			with: func(q *question) {
				q.wish = wishes{licences: []string{"host"}, entitled: []string{"HOST", "basic", "vpn"}}
			},
			want: "basic:scim host@s-host:scim",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			q := asked(tt.with)
			v := decide(q)
			if got := words(v.licences); got != tt.want {
				t.Errorf("licences\n got %s\nwant %s", got, tt.want)
			}
			if got := words(v.kept); got != tt.kept {
				t.Errorf("kept\n got %s\nwant %s", got, tt.kept)
			}
			failed := 0
			for i := range v.licences {
				if v.licences[i].Status == Failed {
					failed++
				}
			}
			if failed > 0 && len(v.issues) == 0 && q.calling.issue == "" {
				t.Error("something failed and there is no issue")
			}
		})
	}
}

// TestDecideTimes: a decision that is made again says the same, and the place in
// the line is that of the first request (BR-164).
func TestDecideTimes(t *testing.T) {
	q := asked(func(q *question) {
		q.wish = wishes{licences: []string{"host", "suite"}}
		q.known.full = map[string]bool{seatPool("s-host"): true}
	})
	first := decide(q)
	q.before, q.now = &Standing{Licences: first.licences}, decidedAt+1000
	second := decide(q)
	if diff := cmp.Diff(first.licences, second.licences); diff != "" {
		t.Errorf("decided again, otherwise:\n%s", diff)
	}
	q.known, q.now = &knowledge{}, decidedAt+2000
	third := decide(q)
	if a := third.licences[0]; a.Asked != decidedAt || a.Since != decidedAt+2000 || a.Status != Assigned {
		t.Errorf("seated: %+v, asked at %d and since %d wanted", a, decidedAt, decidedAt+2000)
	}
}

// TestWishCheck: unknown SKUs are refused with the list of valid ones, unless
// they were stored before (BR-154).
func TestWishCheck(t *testing.T) {
	cat := newCatalogue(builtinProducts())
	for name, tt := range map[string]struct {
		wish, before wishes
		want         string
	}{
		"known":            {wish: wishes{licences: []string{"Suite"}, pack: "CALLING"}},
		"unknown":          {wish: wishes{licences: []string{"suit"}}, want: `Unknown licence "suit"; valid: basic, calling, host, meetings, suite, voice, webinars.`},
		"stored before":    {wish: wishes{licences: []string{"old"}}, before: wishes{licences: []string{"OLD"}}},
		"no package":       {wish: wishes{pack: "host"}, want: `Unknown package "host"; valid: calling, meetings, suite, voice.`},
		"stored package":   {wish: wishes{pack: "old"}, before: wishes{pack: "old"}},
		"any entitlements": {wish: wishes{entitled: []string{"vpn"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := tt.wish.check(cat, &tt.before); err != nil {
				e, _ := errors.AsType[*Error](err)
				if got = e.Detail; e.Code != CodeSKUUnknown || e.Field == "" {
					t.Errorf("code %s, field %q", e.Code, e.Field)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestStrictness: which failures refuse whose acts (domain.md §4.13).
func TestStrictness(t *testing.T) {
	codes := []Code{CodeNoSeats, CodeLicenceConflict, CodePrerequisite, CodeNotSubscribed, CodeNumberOrExtension}
	for s, want := range map[strictness]string{lenient: "-----", strictly: "+++--", asAnAdmin: "+++++"} {
		got := ""
		for _, c := range codes {
			if s.refuses(c) {
				got += "+"
			} else {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("strictness %d refuses %s, want %s", s, got, want)
		}
	}
	v := verdict{licences: has("host!no_seats_available:scim", "suite!licence_conflict:group:g1").Licences}
	nothing := func(string) bool { return false }
	if err := strictly.fault(&Standing{}, &v, nothing); err != nil {
		t.Errorf("refused for what was not asked for now: %v", err)
	}
	if err := strictly.fault(&Standing{}, &v, func(sku string) bool { return sku == "host" }); !HasCode(err, CodeNoSeats) {
		t.Errorf("got %v", err)
	}
	if err := asAnAdmin.fault(has("suite@s-suite:group:g1"), &v, nothing); !HasCode(err, CodeLicenceConflict) {
		t.Errorf("an administrator takes a licence away without noticing: %v", err)
	}
}

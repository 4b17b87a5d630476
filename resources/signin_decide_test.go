package resources

import "testing"

// oracle is the rule book read again, without looking at the code: every way to
// come in as a list of what must hold (BR-112, BR-115, BR-118, security O1, O2, O12,
// I5). It gives the only act that is allowed; a refusal's code is checked by
// refusable.
func oracle(f *signInFacts) (act signInAct, user, by string) {
	if f.off || f.stale || f.weak {
		return actRefuse, "", ""
	}
	welcome := func(c candidate) bool { return !c.inactive && (c.exempt || !c.enforced) }
	vouched := f.address != addressNone && (f.covered && (f.flag == nil || *f.flag) || !f.covered && !f.shared && f.flag != nil && *f.flag)
	unknown := f.subject == heldByNobody
	unnamed := unknown && f.external == heldByNobody
	switch {
	case f.subject == heldHere && welcome(f.bySub):
		return actSignIn, f.bySub.id, ""
	case unknown && f.external == heldHere && welcome(f.byExt) && !f.byExt.linked:
		return actLink, f.byExt.id, byExternalID
	case unnamed && vouched && f.address == addressHere && welcome(f.byMail) && !f.byMail.linked:
		return actLink, f.byMail.id, byEmail
	case unnamed && vouched && f.address == addressFree && f.covered && !f.enforced && f.jit == jitOn && !f.named:
		return actCreate, "", byJIT
	}
	return actRefuse, "", ""
}

// reasons are all codes that something about an assertion calls for; a refusal has
// one of them.
func reasons(f *signInFacts) map[Code]bool {
	out := map[Code]bool{}
	add := func(code Code, when bool) {
		if when {
			out[code] = true
		}
	}
	met := candidate{}
	switch {
	case f.subject == heldHere:
		met = f.bySub
	case f.subject == heldByNobody && f.external == heldHere:
		met = f.byExt
	case f.subject == heldByNobody && f.external == heldByNobody && f.address == addressHere:
		met = f.byMail
	}
	add(CodeSSOFailed, f.off || f.stale || f.weak)
	add(CodeUserInactive, met.inactive)
	add(CodeSSORequired, met.enforced || f.enforced && f.address == addressFree)
	add(CodeSSOConflict, f.subject == heldElsewhere || f.external == heldByMany || f.address == addressElsewhere || f.address == addressFree && f.named || met.linked)
	add(CodeSSOUnverified, f.address != addressNone && (f.flag != nil && !*f.flag || !f.covered && (f.flag == nil || f.shared)))
	add(CodeSSONoUser, f.address == addressNone || f.address == addressFree && (!f.covered || f.jit != jitOn))
	return out
}

// TestSignInTruthTable: every combination of what is known of an assertion has the
// one outcome that the rule book gives it, and each refusal has a sentence
// (security O2).
func TestSignInTruthTable(t *testing.T) {
	yes, no := true, false
	bools := []bool{false, true}
	var acts [4]int
	n := 0
	each := func(f signInFacts) {
		n++
		v := decideSignIn(&f)
		acts[v.act]++
		act, user, by := oracle(&f)
		if v.act != act || act != actRefuse && v.user != user || v.by != by {
			t.Fatalf("%+v: decided %+v, want %v %q %q", f, v, act, user, by)
		}
		if (v.act == actRefuse) != (v.code != "" && v.reason != "") || v.act == actRefuse && !reasons(&f)[v.code] {
			t.Fatalf("%+v: refused with %q: %s", f, v.code, v.reason)
		}
	}
	candidates := func(fn func(candidate)) {
		for i := range 16 {
			fn(candidate{inactive: i&1 > 0, linked: i&2 > 0, exempt: i&4 > 0, enforced: i&8 > 0})
		}
	}
	addresses := func(f signInFacts) {
		for _, f.flag = range []*bool{nil, &yes, &no} {
			for _, f.covered = range bools {
				for _, f.shared = range bools {
					for _, f.enforced = range bools {
						for _, f.jit = range []jitState{jitOn, jitOff, jitDeparted} {
							for _, f.address = range []addressKind{addressNone, addressFree, addressElsewhere} {
								for _, f.named = range bools {
									each(f)
								}
							}
							f.address = addressHere
							candidates(func(c candidate) { c.id = "mail"; f.byMail = c; each(f) })
						}
					}
				}
			}
		}
	}
	for i := range 8 {
		f := signInFacts{off: i&1 > 0, stale: i&2 > 0, weak: i&4 > 0}
		for _, f.subject = range []holder{heldByNobody, heldElsewhere} {
			for _, f.external = range []holder{heldByNobody, heldByMany} {
				addresses(f)
			}
			f.external = heldHere
			candidates(func(c candidate) { c.id = "external"; f.byExt = c; addresses(f) })
		}
		f.external = heldByNobody
		f.subject = heldHere
		candidates(func(c candidate) { c.id = "subject"; f.bySub = c; addresses(f) })
	}
	for act, count := range acts {
		if count == 0 {
			t.Errorf("no combination of %d has outcome %d", n, act)
		}
	}
}

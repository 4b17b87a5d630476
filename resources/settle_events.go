package resources

// licenceEvents tell which licences were given, taken, and could not be given,
// with the rule and the source (BR-261).
func (s *settling) licenceEvents() []Event {
	var out []Event
	for i := range s.before.Licences {
		was := &s.before.Licences[i]
		if is := find(s.after.Licences, was.SKU); was.Status == Assigned && (is == nil || is.Status != Assigned) {
			out = append(out, Event{Type: "licence.removed", SKU: was.SKU, Rule: s.removalRule(was, is), From: was.first().String()})
		}
	}
	for i := range s.after.Licences {
		is := &s.after.Licences[i]
		was := find(s.before.Licences, is.SKU)
		switch {
		case is.Status == Assigned && (was == nil || was.Status != Assigned):
			out = append(out, Event{Type: "licence.assigned", SKU: is.SKU, Rule: is.first().rule(), From: is.first().String()})
		case is.Status == Failed && (was == nil || was.Status != Failed || was.Issue != is.Issue):
			out = append(out, Event{Type: "licence.error", SKU: is.SKU, Rule: string(is.Issue), From: is.first().String()})
		}
	}
	return out
}

// first is the source that decides.
func (a *Assignment) first() Source {
	if len(a.Sources) == 0 {
		return Source{}
	}
	return a.Sources[0]
}

// rule is the rule by which a source gives a licence.
func (s Source) rule() string {
	switch s.Type {
	case SourceGroup:
		return "BR-161"
	case SourceOrgTemplate:
		return "BR-160"
	}
	return "BR-162"
}

// removalRule is the rule by which a licence was lost.
func (s *settling) removalRule(was, is *Assignment) string {
	switch {
	case s.ch.after == nil:
		return "BR-240"
	case is != nil:
		return string(is.Issue)
	case s.ch.after.Inactive && s.plan.Settings.ReleaseSeatsOnInactive:
		return "BR-150"
	case was.first().Type == SourceOrgTemplate:
		return "BR-162" // a templated group decides now
	}
	return "BR-151"
}

package resources

import "slices"

// facts adds the user's places in the index of what extension attributes are
// found by (extension.go). They follow from the record alone.
func (u *User) facts(out []Entry) []Entry {
	f := factGatherer{out: out}
	s := &u.standing
	for _, sku := range u.wish.licences {
		f.add(LicenceUserURN+":licenses", sku)
	}
	f.add(LicenceUserURN+":package", u.wish.pack)
	if s.Origin == OriginExplicit {
		f.add(LicenceUserURN+":licensingOrigin", string(s.Origin))
	}
	f.add(LicenceUserURN+":tier", s.Tier)
	for i := range s.Licences {
		a := &s.Licences[i]
		f.add(LicenceUserURN+":effective.value", a.SKU)
		f.add(LicenceUserURN+":effective.source", string(a.first().Type))
		if a.Status != Assigned { // that nearly every assignment is
			f.add(LicenceUserURN+":effective.status", string(a.Status))
			f.add(LicenceUserURN+":effective.issue", string(a.Issue))
			f.short(factHeld, a.SKU+keySeparator+string(a.Status))
		}
	}
	f.add(LifecycleURN+":state", s.State)
	for i := range s.Issues {
		f.add(LifecycleURN+":issues.code", string(s.Issues[i].Code))
	}
	if s.Source != "" && s.Source != "SCIM" {
		f.add(OrganizationURN+":provisionSource", s.Source)
	}
	for _, r := range s.Roles {
		f.short(factRole, string(r))
	}
	f.calling(&u.calls, s.Calling)
	return f.out
}

// factGatherer collects entries, each once.
type factGatherer struct {
	out []Entry
}

// add adds a value of an attribute by its path; the empty one is none.
func (f *factGatherer) add(path, value string) {
	if value != "" {
		f.short(facts[path], value)
	}
}

func (f *factGatherer) short(fact, value string) {
	e := Entry{Index: UserAttr, Value: factKey(fact, value)}
	if !slices.Contains(f.out, e) {
		f.out = append(f.out, e)
	}
}

// calling adds what a user wants, and has, to call with.
func (f *factGatherer) calling(w *callingWish, c *Calling) {
	f.add(CallingURN+":location", w.said[0])
	f.add(CallingURN+":phoneNumber", w.said[1])
	f.add(CallingURN+":extension", w.said[2])
	if c == nil {
		return
	}
	f.add(CallingURN+":effectiveLocation", c.Place)
	f.add(CallingURN+":effectivePhoneNumber", c.Number)
	f.add(CallingURN+":effectiveExtension", c.Extension)
	f.add(CallingURN+":callingStatus", c.Status)
	if c.Temporary {
		f.add(CallingURN+":temporaryExtension", "true")
	}
	if c.Location != "" {
		f.short(factPlace, c.Location)
	}
	if c.Location != "" && c.Extension != "" {
		f.out = append(f.out, Entry{Index: UserKey, Value: factKey(factPlaceXT, c.Location+keySeparator+c.Extension)})
	}
}

// factKey is the value of an index entry for a fact of a user: AttrKey, made
// without looking at what is known to be folded.
func factKey(fact, value string) string {
	return "user" + keySeparator + fact + keySeparator + FoldText(value).bounded()
}

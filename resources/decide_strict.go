package resources

// strictness says which failures refuse an act instead of becoming issues.
type strictness uint8

const (
	lenient   strictness = iota
	strictly             // a strict connection: domain.md §5.6
	asAnAdmin            // an administrator's act, strict in everything
)

// strictness of a caller's acts.
func (c Caller) strictness() strictness {
	switch {
	case c.Origin != "":
		return asAnAdmin
	case c.Strict:
		return strictly
	}
	return lenient
}

// refuses reports whether a failure is an error for the caller, not an issue
// (domain.md §4.13).
func (s strictness) refuses(code Code) bool {
	switch s {
	case strictly:
		return code == CodeNoSeats || code == CodeLicenceConflict || code == CodePrerequisite
	case asAnAdmin:
		return code != ""
	}
	return false
}

// fault is the refusal of an act that asked for products which cannot be given,
// or, of an administrator, made the user lose others as a set (BR-153); nil when
// there is nothing to refuse.
func (s strictness) fault(before *Standing, v *verdict, asked func(sku string) bool) error {
	if s == lenient {
		return nil
	}
	for i := range v.licences {
		a := &v.licences[i]
		if a.Status != Failed || !s.refuses(a.Issue) {
			continue
		}
		was := find(before.Licences, a.SKU)
		lost := s == asAnAdmin && was != nil && was.Status == Assigned && (a.Issue == CodeLicenceConflict || a.Issue == CodePrerequisite)
		if asked(a.SKU) || lost {
			return &Error{Code: a.Issue, Field: a.field(), Detail: v.detail(a)}
		}
	}
	return nil
}

// field is the attribute that an assignment was asked for with.
func (a *Assignment) field() string {
	if len(a.Sources) > 0 && a.Sources[0].Ref == packageRef {
		return LicenceUserURN + ":package"
	}
	return LicenceUserURN + ":licenses"
}

// detail is the sentence behind a failed assignment.
func (v *verdict) detail(a *Assignment) string {
	for _, f := range v.faults {
		if f.sku == a.SKU {
			return f.detail
		}
	}
	return "The licence " + a.SKU + " cannot be given."
}

package schema

import (
	"strconv"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// TakeMembers removes members from a group document and returns their ids,
// each once, in order. present tells whether the client said anything about
// members: on PUT an absent list and an empty one may mean different things.
// Call it before [Type.Check]. Errors are as in [MemberIDs].
func TakeMembers(doc *jsontree.Value) (ids []string, present bool, err error) {
	v := doc.Get("members")
	if v == nil {
		return nil, false, nil
	}
	ids, err = MemberIDs(v)
	doc.Delete("members")
	return ids, true, err
}

// MemberIDs reads the ids out of a members value: an array of objects with
// value or of plain strings (ENT-28), one object, one string, or null. The
// rest of an element ($ref, even null; type; display) is decided by usher and
// ignored (L-11), but must have the right type. Repeated ids are collapsed
// (L-25). An id that is none, or is not the id of a user or group, is a 400
// invalidValue naming it.
func MemberIDs(v *jsontree.Value) ([]string, error) { return memberIDs(v, true) }

// LeavingIDs is [MemberIDs] for members to be removed: what is not the id of a
// user or group names nobody and is left out, because removing who is not
// there succeeds (R-98, L-24).
func LeavingIDs(v *jsontree.Value) ([]string, error) { return memberIDs(v, false) }

func memberIDs(v *jsontree.Value, known bool) ([]string, error) {
	if v.Empty() {
		return nil, nil
	}
	if v.Kind != jsontree.Array {
		id, err := memberID(v, -1, known)
		if err != nil || id == "" {
			return nil, err
		}
		return []string{id}, nil
	}
	ids := make([]string, 0, len(v.Items))
	seen := make(map[string]struct{}, len(v.Items))
	for i := range v.Items {
		id, err := memberID(&v.Items[i], i, known)
		if err != nil {
			return nil, err
		}
		if _, again := seen[id]; again || id == "" {
			continue
		}
		seen[id] = struct{}{}
		ids = append(ids, id)
	}
	return ids, nil
}

// memberID reads one element, the only one if at is negative; "" means that it
// names nobody: null, or a text that is no id where ids need not be known.
func memberID(v *jsontree.Value, at int, known bool) (string, error) {
	id, sub := v, ""
	if v.Kind == jsontree.Object {
		for _, name := range [...]string{"$ref", "type", "display"} {
			if m := v.Get(name); !m.Empty() && m.Kind != jsontree.String {
				return "", wrongMember(at, "."+name, " must be a string, not "+kindName(m))
			}
		}
		sub = ".value"
		if id = v.Get("value"); id == nil {
			return "", wrongMember(at, sub, " is required: send the id of a user or group")
		}
	}
	switch {
	case id.Kind == jsontree.Null && id == v:
		return "", nil
	case id.Kind != jsontree.String:
		return "", wrongMember(at, sub, " must be a string holding the id of a user or group, not "+kindName(id))
	}
	kind, ok := resources.KindOf(id.Text)
	switch {
	case ok && (kind == resources.KindUser || kind == resources.KindGroup):
		return id.Text, nil
	case known:
		return "", wrongMember(at, sub, " is not the id of a user or group: "+quote(id.Text))
	}
	return "", nil
}

// wrongMember refuses an element of members, naming it.
func wrongMember(at int, sub, reason string) error {
	path := "members"
	if at >= 0 {
		path += "[" + strconv.Itoa(at) + "]"
	}
	return invalidValue(path + sub + reason)
}

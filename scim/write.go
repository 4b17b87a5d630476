package scim

import (
	"context"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/patch"
	"github.com/usher-scim/usher/scim/schema"
)

// The methods of this file are the writes themselves, without HTTP: the door
// and the elimity handlers both end here.

func schemaOptions(c resources.Caller) schema.Options {
	return schema.Options{Profile: string(c.Profile)}
}

// create checks a document and stores it as a new resource. doc is used up.
func (s *Server) create(ctx context.Context, c resources.Caller, t *schema.Type, doc *jsontree.Value) (*resources.Record, error) {
	var members []string
	var err error
	if t.Kind == resources.KindGroup {
		if members, _, err = schema.TakeMembers(doc); err != nil {
			return nil, err
		}
	}
	if err := t.Check(doc, schemaOptions(c)); err != nil {
		return nil, err
	}
	switch t.Kind {
	case resources.KindUser:
		return s.dir.CreateUser(ctx, c, *doc)
	case resources.KindCustom:
		return s.dir.CreateCustom(ctx, c, t.Name, *doc)
	}
	rec, err := s.dir.CreateGroup(ctx, c, *doc, members)
	if err != nil || len(members) == 0 {
		return rec, err
	}
	// The version covers the membership, which only the store can count. The
	// group exists by now: should this reading fail, the answer shows the
	// version without members rather than an error that asks for a repetition.
	if now, err := s.dir.Get(ctx, c, t.Kind, rec.ID); err == nil {
		return now, nil
	}
	return rec, nil
}

// read gives one resource of a type.
func (s *Server) read(ctx context.Context, c resources.Caller, t *schema.Type, id string) (*resources.Record, error) {
	if t.Kind == resources.KindCustom {
		return s.dir.GetCustom(ctx, c, t.Name, id)
	}
	return s.dir.Get(ctx, c, t.Kind, id)
}

// replace makes a document the new content of a resource (R-82…R-87). doc is
// used up.
func (s *Server) replace(ctx context.Context, c resources.Caller, t *schema.Type, id string, doc *jsontree.Value, p conditions) (*resources.Record, error) {
	var members []string
	var err error
	if t.Kind == resources.KindGroup {
		if members, _, err = schema.TakeMembers(doc); err != nil {
			return nil, err
		}
	}
	r := replacement{typ: t, conditions: p, options: schemaOptions(c), said: t.Mentioned(doc)}
	r.keep = r.omitted(doc)
	first := r.options
	first.Unseen = true
	if err := t.Check(doc, first); err != nil {
		return nil, err
	}
	r.doc = doc
	switch t.Kind {
	case resources.KindUser:
		rec, _, err := s.dir.UpdateUser(ctx, c, id, r.edit)
		return rec, err
	case resources.KindCustom:
		rec, _, err := s.dir.UpdateCustom(ctx, c, t.Name, id, r.edit)
		return rec, err
	}
	_, err = s.dir.UpdateGroup(ctx, c, id, func(cur *resources.Record, old jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
		next, err := r.edit(cur, old)
		return next, resources.MemberEdit{Replace: true, Add: members, AsSeen: p.any()}, err // absent members are cleared
	})
	if err != nil {
		return nil, err
	}
	return s.dir.Get(ctx, c, t.Kind, id)
}

// replacement is a PUT on its way. It may be applied several times.
type replacement struct {
	conditions
	typ     *schema.Type
	options schema.Options
	doc     *jsontree.Value // checked, without id
	keep    []string        // members of the document that the client left out and that stay
	said    *schema.Mentioned
}

// omitted lists what a PUT leaves alone when it does not mention it: whole
// extensions, and active (domain.md §5.7.3, L-22). null mentions.
func (r *replacement) omitted(doc *jsontree.Value) []string {
	var out []string
	for _, x := range r.typ.Extensions {
		if doc.Get(x.URN) == nil {
			out = append(out, x.URN)
		}
	}
	if r.typ.Kind == resources.KindUser && doc.Get("active") == nil {
		out = append(out, "active")
	}
	return out
}

func (r *replacement) edit(cur *resources.Record, old jsontree.Value) (jsontree.Value, error) {
	if err := r.allow(cur); err != nil {
		return old, err
	}
	next := r.doc.Clone()
	for _, name := range r.keep {
		if v := old.Get(name); v != nil && next.Get(name) == nil {
			next.Set(name, v.Clone())
		}
	}
	r.said.Keep(&old, &next)
	if err := schema.CheckImmutable(r.typ, &old, &next); err != nil {
		return next, err
	}
	if r.typ.Hides || !jsontree.Equal(r.doc, &next) { // schemas must list what was kept
		if err := r.typ.Check(&next, r.options); err != nil {
			return next, err
		}
	}
	next.Set("id", jsontree.Str(cur.ID))
	return next, nil
}

// modify applies a parsed PATCH. The result is what readers see now, but for
// groups it is nil, because a change of the membership reads nothing.
func (s *Server) modify(ctx context.Context, c resources.Caller, t *schema.Type, id string, p *patch.Patch, cond conditions) (*resources.Record, error) {
	edit := func(cur *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		if err := cond.allow(cur); err != nil {
			return doc, err
		}
		if !p.ReadsShown() {
			return p.Apply(&doc, nil)
		}
		shown, err := jsontree.Parse(cur.Profile, jsontree.Limits{})
		if err != nil {
			return doc, fmt.Errorf("stored document of %s: %w", cur.ID, err)
		}
		return p.Apply(&doc, &shown)
	}
	switch t.Kind {
	case resources.KindUser:
		rec, _, err := s.dir.UpdateUser(ctx, c, id, edit)
		return rec, err
	case resources.KindCustom:
		rec, _, err := s.dir.UpdateCustom(ctx, c, t.Name, id, edit)
		return rec, err
	}
	members, err := s.memberEdit(ctx, c, id, p.Members())
	if err != nil {
		return nil, err
	}
	members.AsSeen = cond.any()
	if p.MembersOnly() && !members.AsSeen {
		_, err := s.dir.EditMembers(ctx, c, id, members)
		return nil, err
	}
	_, err = s.dir.UpdateGroup(ctx, c, id, func(cur *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
		next, err := edit(cur, doc)
		return next, members, err
	})
	return nil, err
}

// memberEdit turns what a PATCH says about members into ids. Only a value
// filter other than `value eq` needs the membership, and walks it.
func (s *Server) memberEdit(ctx context.Context, c resources.Caller, group string, m patch.MemberEdit) (resources.MemberEdit, error) {
	out := resources.MemberEdit{Replace: m.Replace, Add: m.Add, Remove: m.Remove}
	if len(m.RemoveWhere) == 0 {
		return out, nil
	}
	named := make(map[string]bool, len(m.Add)+len(m.Remove))
	for _, id := range m.Add {
		named[id] = true
	}
	for _, id := range m.Remove {
		named[id] = true
	}
	out.Remove = append([]string(nil), m.Remove...)
	for after := ""; ; {
		refs, err := s.dir.Members(ctx, c, group, after, memberChunk, false)
		if err != nil {
			return out, err
		}
		for i := range refs {
			if id := refs[i].ID; !named[id] && m.Drops(id) {
				out.Remove = append(out.Remove, id)
			}
		}
		if len(refs) < memberChunk {
			return out, nil
		}
		after = refs[len(refs)-1].ID
	}
}

// remove deletes a resource.
func (s *Server) remove(ctx context.Context, c resources.Caller, t *schema.Type, id string, p conditions) error {
	var check func(*resources.Record) error
	if p.any() {
		check = p.allow
	}
	switch t.Kind {
	case resources.KindUser:
		return s.dir.DeleteUser(ctx, c, id, check)
	case resources.KindCustom:
		return s.dir.DeleteCustom(ctx, c, t.Name, id, check)
	}
	return s.dir.DeleteGroup(ctx, c, id, check)
}

package conformance

import (
	"errors"
	"fmt"

	"github.com/usher-scim/usher/resources"
)

func customChecks() []StoreCheck {
	return []StoreCheck{
		{"declared-values-are-unique", "CustomKey, UserKey, GroupKey, RefusedName", inWorld(declaredUnique)},
		{"declared-values-find", "CustomAttr, CustomOfType", inWorld(declaredFind)},
		{"erase-takes-custom-and-settings", "Store.Erase", inWorld(eraseCustom)},
	}
}

// made is a record of a kind with a standing; where it stands, Placement tells.
func (w *world) made(kind resources.Kind, profile, standing string) (thing, error) {
	id, err := w.newID(kind)
	if err != nil {
		return thing{}, err
	}
	ms := w.Now().UnixMilli()
	x := thing{rec: &resources.Record{
		Kind: kind, ID: id, Version: 1, Created: ms, Modified: ms,
		Display: "made", Profile: []byte(profile), Standing: []byte(standing),
	}}
	if x.entries, _, _ = resources.Placement(x.rec); len(x.entries) == 0 {
		return x, fmt.Errorf("a %s with the standing %s has no place", kind, standing)
	}
	return x, nil
}

// device is a resource of a declared type with a serial number, which is
// unique, and a tag.
func (w *world) device(typeName, serial, tag string) (thing, error) {
	return w.made(resources.KindCustom, `{"displayName":"made"}`, fmt.Sprintf(`{"type":%q,"keys":[%q,%q]}`,
		typeName, "bu:serial\n"+serial, "au:tag\n"+tag))
}

func declaredUnique(w *world) error {
	for _, kind := range []resources.Kind{resources.KindCustom, resources.KindUser, resources.KindGroup} {
		valued := func(name, value string) (thing, error) {
			return w.made(kind, fmt.Sprintf(`{"userName":%q,"displayName":%q}`, name, name), fmt.Sprintf(`{"type":"Device","keys":[%q]}`, "ku:serial\n"+value))
		}
		first, err1 := valued("a", "1")
		second, err2 := valued("b", "1")
		other, err3 := valued("c", "2")
		if err := errors.Join(err1, err2, err3, w.create(first, other)); err != nil {
			return err
		}
		r, err := refused(w.create(second), resources.RefusedName)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if want := resources.AttrKey(typeOf(kind), "u:serial", "1"); r.Holder != first.rec.ID || r.Value != want {
			return fmt.Errorf("%s: refused for %q, held by %s; want %q, %s", kind, r.Value, r.Holder, want, first.rec.ID)
		}
		stored, err := w.mustGet(first)
		if err != nil {
			return err
		}
		if err := w.do(func(tx resources.Tx) { tx.Delete(stored, first.entries) }); err != nil {
			return err
		}
		if err := w.create(second); err != nil {
			return fmt.Errorf("%s: a value that was given up is not free: %w", kind, err)
		}
	}
	return nil
}

func typeOf(kind resources.Kind) string {
	if kind == resources.KindCustom {
		return "Device"
	}
	return kind.String()
}

func declaredFind(w *world) error {
	var all []thing
	for i, typeName := range []string{"Device", "Room", "device"} {
		x, err := w.device(typeName, fmt.Sprint(i), "red")
		if err != nil {
			return err
		}
		all = append(all, x)
	}
	if err := w.create(all...); err != nil {
		return err
	}
	for _, ask := range []struct {
		where *resources.Cond
		want  int
	}{
		{resources.OfType("DEVICE"), 2},
		{resources.OfType("Room"), 1},
		{resources.OfType("Roo"), 0},
		{&resources.Cond{Op: resources.CondIs, Index: resources.CustomAttr, Value: resources.AttrKey("device", "u:tag", "red")}, 2},
		{&resources.Cond{Op: resources.CondPrefix, Index: resources.CustomAttr, Value: resources.AttrKey("device", "u:tag", "r")}, 2},
		{&resources.Cond{Op: resources.CondIs, Index: resources.CustomKey, Value: resources.AttrKey("room", "u:serial", "1")}, 1},
		{&resources.Cond{Op: resources.CondAnd, Subs: []resources.Cond{*resources.OfType("room"), {Op: resources.CondRange, Index: resources.CustomModified, To: w.Now().UnixMilli()}}}, 1},
	} {
		page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindCustom, Where: ask.where, Limit: 10})
		if err != nil || page.Total != ask.want || len(page.Records) != ask.want {
			return saw(err, "%+v finds %d; want %d", *ask.where, page.Total, ask.want)
		}
	}
	return nil
}

func eraseCustom(w *world) error {
	x, err1 := w.device("Device", "1", "red")
	s, err2 := w.made(resources.KindSetting, `{}`, `{"noun":"declared"}`)
	if err := errors.Join(err1, err2, w.create(x, s)); err != nil {
		return err
	}
	if n, err := w.eraseOut(); n != 2 || err != nil {
		return saw(err, "Erase erases %d records; want 2", n)
	}
	for _, gone := range []thing{x, s} {
		if got, err := w.get(gone); got != nil || err != nil {
			return saw(err, "after Erase: %v", got)
		}
	}
	for _, e := range append(x.entries, s.entries...) {
		if e.Index.Shape() == resources.Unique {
			if id, err := w.Store.Named(w.ctx, w.org, e.Index, e.Value); id != "" || err != nil {
				return saw(err, "after Erase %q names %s", e.Value, id)
			}
		}
		if e.Index.Shape() == resources.Text {
			page, err := w.Store.Find(w.ctx, w.org, resources.Query{
				Kind: e.Index.Kind(), Where: &resources.Cond{Op: resources.CondIs, Index: e.Index, Value: e.Value}, Limit: 1,
			})
			if err != nil || page.Total != 0 {
				return saw(err, "after Erase the index %s finds %d", e.Index.Code(), page.Total)
			}
		}
	}
	return nil
}

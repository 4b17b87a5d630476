package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// CallingChange is a change of what a user calls with; nil fields stay, "" takes
// away.
type CallingChange struct {
	Location  *string // id, externalId or name
	Number    *string // in international form, or as at the location
	Extension *string
	Temporary *bool // the extension is only until there is a number (BR-193)
}

// ChangeCalling changes a user's location, number and extension, strictly: what
// cannot be refuses (BR-190 … BR-197). They become the wishes in the user's
// document, where identity providers read them and may write others. Who has no
// product for calling yet gets them with the first one. check is as in
// [Directory.DeleteUser]. Codes: not_found, location_unknown, location_required,
// number_unknown, number_wrong_location, number_in_use, extension_in_use,
// extension_invalid, number_or_extension_required, name_invalid.
func (d *Directory) ChangeCalling(ctx context.Context, c Caller, id string, change CallingChange, check func(*Record) error) (*Record, error) {
	if err := c.mayAdmin(AreaPlaces, true); err != nil {
		return nil, err
	}
	p, err := d.planFor(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	if err := change.check(p); err != nil {
		return nil, err
	}
	rec, _, err := d.revise(ctx, c, id, revision{
		check: check, temporary: change.Temporary, admin: true,
		edit: func(_ *Record, doc jsontree.Value) (jsontree.Value, error) {
			change.write(&doc)
			return doc, nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("change calling: %w", err)
	}
	return rec, nil
}

// check refuses what nobody could have, whether or not the user calls already.
func (ch *CallingChange) check(p *Plan) error {
	country := ""
	if ch.Location != nil && *ch.Location != "" {
		l := p.locate(*ch.Location)
		if l == nil {
			return unknownLocation(p, *ch.Location)
		}
		country = l.Country
	}
	if ch.Number != nil && *ch.Number != "" && country != "" {
		if _, err := readNumber(*ch.Number, country); err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				return &Error{Code: CodeNumberUnknown, Field: "phoneNumber", Detail: e.Detail}
			}
			return err
		}
	}
	if ch.Extension != nil && *ch.Extension != "" {
		return checkExtension(*ch.Extension, country)
	}
	return nil
}

// write puts the wishes into a user's document.
func (ch *CallingChange) write(doc *jsontree.Value) {
	block := doc.Get(CallingURN)
	if block == nil || block.Kind != jsontree.Object {
		block = doc.Set(CallingURN, jsontree.Obj())
	}
	for _, a := range []struct {
		name string
		to   *string
	}{{"location", ch.Location}, {"phoneNumber", ch.Number}, {"extension", ch.Extension}} {
		switch {
		case a.to == nil:
		case *a.to == "":
			block.Delete(a.name)
		default:
			block.Set(a.name, jsontree.Str(*a.to))
		}
	}
	schemas := doc.Get("schemas")
	if len(block.Items) == 0 {
		doc.Delete(CallingURN)
		if schemas = doc.Get("schemas"); schemas != nil {
			schemas.Items = slices.DeleteFunc(schemas.Items, isCallingURN)
		}
		return
	}
	if schemas != nil && !slices.ContainsFunc(schemas.Items, isCallingURN) {
		schemas.Items = append(schemas.Items, jsontree.Str(CallingURN))
	}
}

func isCallingURN(v jsontree.Value) bool { return jsontree.EqualName(v.Text, CallingURN) }

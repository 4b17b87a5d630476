package resources

import (
	"context"
	"errors"
	"fmt"
)

// Suggestion is a recommended extension (BR-194).
type Suggestion struct {
	Extension string
	Taken     string // the one that would be recommended when somebody has it, or ""
	Holder    string // id of the user who has it
}

// SuggestExtension recommends an extension at a location (by id, externalId or
// name, or "" for that of the number): the last digits of the number, with ""
// or when somebody has it the next free one (BR-194). Codes: location_unknown,
// location_required, number_unknown, extension_in_use when none is free.
func (d *Directory) SuggestExtension(ctx context.Context, c Caller, location, number string) (Suggestion, error) {
	if err := c.mayAdmin(AreaPlaces, false); err != nil {
		return Suggestion{}, err
	}
	p, err := d.planFor(ctx, c.Org)
	if err != nil {
		return Suggestion{}, err
	}
	l, err := d.placeFor(ctx, c, p, location, number)
	if err != nil {
		return Suggestion{}, err
	}
	length := p.extensionLength(l)
	first := padded(0, length)
	if number != "" {
		r, err := readNumber(number, l.Country)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				return Suggestion{}, &Error{Code: CodeNumberUnknown, Field: "number", Detail: e.Detail}
			}
			return Suggestion{}, err
		}
		first = recommended(r.E164, length)
	}
	var out Suggestion
	holders, err := d.extensionHolders(ctx, c.Org, l.ID, []string{first})
	if err != nil {
		return out, fmt.Errorf("suggest an extension: %w", err)
	}
	if number != "" && holders[first] != "" {
		out.Taken, out.Holder = first, holders[first]
	}
	out.Extension, err = d.seekExtension(ctx, c.Org, l, first, func(free []string) string { return free[0] })
	if err != nil {
		return out, fmt.Errorf("suggest an extension: %w", err)
	}
	if out.Extension == "" {
		return out, &Error{Code: CodeExtensionInUse, Detail: fmt.Sprintf("No extension of %d digits is free at the location %s; make extensions longer there.", length, quoted(l.Name))}
	}
	return out, nil
}

// placeFor finds the location that a caller means, by its name or by a number
// in the inventory.
func (d *Directory) placeFor(ctx context.Context, c Caller, p *Plan, location, number string) (*Location, error) {
	if location != "" {
		if l := p.locate(location); l != nil {
			return l, nil
		}
		return nil, unknownLocation(p, location)
	}
	if number != "" {
		n, err := d.number(ctx, c.Org, number)
		if err != nil {
			return nil, err
		}
		if n != nil {
			if l := p.location(n.Location); l != nil {
				return l, nil
			}
		}
	}
	return nil, &Error{Code: CodeLocationRequired, Field: "location", Detail: "Name the location; the number is not in the inventory of any."}
}

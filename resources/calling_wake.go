package resources

import (
	"context"
	"strings"
	"time"
)

// Who asked for a number or an extension that somebody else has, or that is not
// there, stands in a line for it, and is settled again when it comes free or
// something else keeps it from being had. Who gets numbers without asking and found
// none stands in the line of the location. Everybody in such a line is in the pool
// waitersPool too, so that whoever brings many numbers knows whether anybody must
// be told.

// waitersPool is the pool of users who wait for a number or an extension.
var waitersPool = Pool{Name: "waiting/calling", Limit: -1}

const (
	numberLines    = "num/"
	extensionLines = "xt/"
	placeLines     = "call/"
)

// numberLine is the line of users who want one number, in E.164.
func numberLine(e164 string) string { return numberLines + strings.TrimPrefix(e164, "+") }

// extensionLine is the line of users who want one extension at a location.
func extensionLine(location, extension string) string {
	return extensionLines + location + "/" + extension
}

// placeLine is the line of users who want any number of a location.
func placeLine(location string) string { return placeLines + location }

// itemOfLine is the item by which those who wait in a line are settled again.
func itemOfLine(line string) string { return "w" + line }

// wokenMost bounds how many of a line are settled again at a time. Of those who
// want one number the first cannot always have it, because it is at another
// location, hence more than one; of those who take any, one is enough, and the
// next follows when it leaves the line.
const wokenMost = 50

// wakeLine makes those who wait in a line due, in the order of the line (item
// w<line>). A number whose reservation or rest is over becomes available by this.
func (d *Directory) wakeLine(ctx context.Context, l Lease, item DueItem) error {
	line := strings.TrimPrefix(item.Item, "w")
	run := func(ctx context.Context, tx Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		place, err := d.linePlace(tx, line)
		if err != nil {
			return err
		}
		heads, err := d.store.Waiting(ctx, l.Org, line, wokenMost)
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, placeLines) {
			heads = heads[:min(1, len(heads))]
		} else if len(heads) == 0 && place != "" {
			if heads, err = d.store.Waiting(ctx, l.Org, placeLine(place), 1); err != nil {
				return err
			}
		}
		now := d.now()
		for i, h := range heads {
			tx.Due(ItemOfUser(h.Holder), now.Add(time.Duration(i)*time.Millisecond))
		}
		return nil
	}
	_, err := d.store.Update(ctx, l.Org, run)
	return err
}

// linePlace looks at what a line waits for, and tells the location at which it may be
// had now; "" when it may not be had.
func (d *Directory) linePlace(tx Tx, line string) (place string, err error) {
	if rest, ok := strings.CutPrefix(line, placeLines); ok {
		return rest, nil
	}
	if rest, ok := strings.CutPrefix(line, extensionLines); ok {
		place, _, _ = strings.Cut(rest, "/")
		return place, nil
	}
	rec, n, err := readNumberRecord(tx, numberID(strings.TrimPrefix(line, numberLines)))
	if err != nil {
		return "", err
	}
	if n == nil { // who waits is told that it is gone
		return "", nil
	}
	now := n.at(d.now())
	if now.State == NumberReserved {
		tx.Due(itemOfLine(line), now.Until)
	}
	if now.State != NumberAvailable { // who waits is told why it cannot be had
		return "", nil
	}
	if now.State != n.State {
		if err := d.putNumber(tx, rec, &now); err != nil {
			return "", err
		}
	}
	return n.Location, nil
}

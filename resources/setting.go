package resources

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A setting is a record that administrators, or usher itself, keep beside the
// resources. All of them share one kind; the noun says what one is. Where a
// setting stands in the indexes is written in its standing, so that its place is
// known from the record alone.

// noun says what a setting is. Nouns are stored: never change one.
type noun string

const (
	nounDeclared  noun = "declared"  // an organization's declared schemas
	nounClient    noun = "client"    // an OAuth client
	nounSecret    noun = "secret"    // a secret of the server
	nounCatalogue noun = "catalogue" // the platform's products
	nounPlan      noun = "plan"      // how an organization licenses
	nounNumber    noun = "number"    // a telephone number in an inventory
	nounInterval  noun = "interval"  // packages that a user held, by the day
	nounReport    noun = "report"    // a billing report
	nounRows      noun = "rows"      // a piece of a report or of a job's errors
	nounJob       noun = "job"       // long work with progress
	nounAlert     noun = "alert"     // something that an administrator must see

	nounAccess     noun = "access"     // what lets a user in
	nounSession    noun = "session"    // a browser in which somebody is signed in
	nounConnection noun = "connection" // an OpenID provider
	nounRefused    noun = "refused"    // a sign-in that was refused
	nounMail       noun = "mail"       // a message to a person
	nounChange     noun = "change"     // a change of a membership that is under way
)

// place is where a setting stands in the indexes.
type place struct {
	Noun  noun     `json:"noun"`
	Key   string   `json:"key,omitempty"`   // unique among the settings of the noun
	Attrs []string `json:"attrs,omitempty"` // what it is found by; the parts of one are joined by keySeparator
}

// standing is what a setting's record carries beside its profile.
func (p place) standing() ([]byte, error) {
	if p.Key == "" && len(p.Attrs) == 0 {
		return p.Noun.standing(), nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode the place of a %s: %w", p.Noun, err)
	}
	return b, nil
}

// entries are a setting's places in the indexes: by id, by what it is, and by
// its key and attributes.
func (p place) entries(id string) []Entry {
	out := p.Noun.entries(id)
	if p.Key != "" {
		out = append(out, Entry{Index: SettingKey, Value: p.Noun.key(p.Key)})
	}
	for _, a := range p.Attrs {
		out = append(out, Entry{Index: SettingAttr, Value: p.Noun.key(a)})
	}
	return out
}

// attrOf joins the parts of a key or an attribute.
func attrOf(parts ...string) string { return strings.Join(parts, keySeparator) }

// put asks for a setting to be stored: body, as JSON, in place of before, which
// is what Read gave, or nil for a new one.
func (p place) put(tx Tx, before *Record, id, display string, body any, now time.Time) (*Record, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a %s: %w", p.Noun, err)
	}
	standing, err := p.standing()
	if err != nil {
		return nil, err
	}
	ms := now.UnixMilli()
	rec := &Record{Kind: KindSetting, ID: id, Version: 1, Created: ms, Modified: ms, Display: clip(display, 100), Profile: raw, Standing: standing}
	var had []Entry
	if before != nil {
		rec.Version, rec.Created, rec.Modified = before.Version+1, before.Created, max(ms, before.Modified)
		had = placeOf(before).entries(id)
	}
	if err := checkSize(before, rec); err != nil {
		return nil, err
	}
	tx.Put(before, rec, had, p.entries(id))
	return rec, nil
}

// placeOf reads where a setting stands; the zero place when its standing says
// nothing.
func placeOf(rec *Record) place {
	var p place
	if json.Unmarshal(rec.Standing, &p) != nil {
		return place{} // the caller finds no entries for it, and reports it
	}
	return p
}

// standing is what a setting's record without key and attributes carries.
func (n noun) standing() []byte { return []byte(`{"noun":"` + string(n) + `"}`) }

// key is a key or an attribute as it stands in the indexes.
func (n noun) key(text string) string { return string(n) + keySeparator + Folded(text).bounded() }

// entries are the places of a setting without key and attributes.
func (n noun) entries(id string) []Entry {
	return []Entry{{Index: SettingAll, Value: id}, {Index: SettingNoun, Value: string(n)}}
}

// all is the condition for every setting of the noun, in order of creation.
func (n noun) all() *Cond { return &Cond{Op: CondIs, Index: SettingNoun, Value: string(n)} }

// with is the condition for the settings of the noun that have an attribute.
func (n noun) with(attr string) *Cond {
	return &Cond{Op: CondIs, Index: SettingAttr, Value: n.key(attr)}
}

// nounOf reads what a setting is; "" when its standing says nothing.
func nounOf(rec *Record) noun { return placeOf(rec).Noun }

// settingID makes the id of a setting that exists once for an owner: the
// owner's id with the kind exchanged. Both stand in the same organization.
func settingID(owner string) string { return ownerOf(owner, KindSetting) }

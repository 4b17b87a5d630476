package resources

import "encoding/json"

// A setting is a record that administrators, or usher itself, keep beside the
// resources. All of them share one kind; the noun says what one is, and stands
// in the record's standing, so that its place is known from the record alone.

// noun says what a setting is. Nouns are stored: never change one.
type noun string

const (
	nounDeclared noun = "declared" // an organization's declared schemas
	nounClient   noun = "client"   // an OAuth client
	nounSecret   noun = "secret"   // a secret of the server
)

// standing is what a setting's record carries beside its profile.
func (n noun) standing() []byte { return []byte(`{"noun":"` + string(n) + `"}`) }

// entries are a setting's places in the indexes: one by id, one by what it is.
func (n noun) entries(id string) []Entry {
	return []Entry{{Index: SettingAll, Value: id}, {Index: SettingNoun, Value: string(n)}}
}

// all is the condition for every setting of the noun, in order of creation.
func (n noun) all() *Cond { return &Cond{Op: CondIs, Index: SettingNoun, Value: string(n)} }

// nounOf reads what a setting is; "" when its standing says nothing.
func nounOf(rec *Record) noun {
	var s struct {
		Noun noun `json:"noun"`
	}
	if json.Unmarshal(rec.Standing, &s) != nil {
		return "" // the caller finds no entries for it, and reports it
	}
	return s.Noun
}

// settingID makes the id of a setting that exists once for an owner: the
// owner's id with the kind exchanged. Both stand in the same organization.
func settingID(owner string) string {
	last := byte(0)
	for i := range len(idAlphabet) {
		if idAlphabet[i] == owner[idLength-1] {
			last = byte(i)
		}
	}
	return owner[:idLength-1] + string(idAlphabet[last&^7|byte(KindSetting)])
}

package i18n

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// The languages there are texts in; the first is the one for everybody else.
const (
	English = "en"
	French  = "fr"
)

// Languages lists the languages there are texts in.
func Languages() []string { return []string{English, French} }

// forms are the plural forms that each language needs (CLDR). French asks for
// "many" from a million on, and go-i18n does not fall back from it.
func forms(lang string) []string {
	if lang == French {
		return []string{"one", "many", "other"}
	}
	return []string{"one", "other"}
}

// Catalog is every text of a room. It is safe for concurrent use.
type Catalog struct {
	keys       []string
	localizers map[string]*Localizer
}

// Load reads the catalogs en.json and fr.json in the root of a file system. All
// their faults are in the error.
func Load(files fs.FS) (*Catalog, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	read := make(map[string]map[string]text, len(Languages()))
	for _, lang := range Languages() {
		raw, err := fs.ReadFile(files, lang+".json")
		if err != nil {
			return nil, fmt.Errorf("i18n: %w", err)
		}
		if read[lang], err = readCatalog(raw); err != nil {
			return nil, fmt.Errorf("i18n: %s.json: %w", lang, err)
		}
		if _, err := bundle.ParseMessageFileBytes(raw, lang+".json"); err != nil {
			return nil, fmt.Errorf("i18n: %s.json: %w", lang, err)
		}
	}
	if faults := faultsOf(read); len(faults) > 0 {
		return nil, fmt.Errorf("i18n: %w", errors.Join(faults...))
	}
	c := &Catalog{keys: slices.Sorted(maps.Keys(read[English])), localizers: make(map[string]*Localizer, len(read))}
	for _, lang := range Languages() {
		c.localizers[lang] = &Localizer{lang: lang, texts: i18n.NewLocalizer(bundle, lang), has: read[lang]}
	}
	return c, nil
}

// Keys lists the keys of all texts, sorted.
func (c *Catalog) Keys() []string { return slices.Clone(c.keys) }

// In gives the texts of a language; any other than those of Languages counts as
// English.
func (c *Catalog) In(lang string) *Localizer {
	if l, ok := c.localizers[lang]; ok {
		return l
	}
	return c.localizers[English]
}

// text is one entry of a catalog: its forms, of which one that is not a plural
// has only "other".
type text struct {
	forms  map[string]string
	plural bool
}

// readCatalog reads a catalog strictly: a flat object of texts and plurals.
func readCatalog(raw []byte) (map[string]text, error) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	out := make(map[string]text, len(entries))
	for key, value := range entries {
		var one string
		if json.Unmarshal(value, &one) == nil {
			out[key] = text{forms: map[string]string{"other": one}}
			continue
		}
		t := text{plural: true}
		if err := json.Unmarshal(value, &t.forms); err != nil {
			return nil, fmt.Errorf("%s is neither a text nor its plural forms: %w", key, err)
		}
		out[key] = t
	}
	return out, nil
}

// faultsOf compares the catalogs with each other and looks at every text.
func faultsOf(read map[string]map[string]text) (faults []error) {
	for _, lang := range Languages() {
		for _, other := range Languages() {
			for key, t := range read[lang] {
				if o, ok := read[other][key]; !ok {
					faults = append(faults, fmt.Errorf("%s: %s.json has no such text, %s.json has", key, other, lang))
				} else if t.plural && !o.plural {
					faults = append(faults, fmt.Errorf("%s: a plural in %s.json only", key, lang))
				}
			}
		}
		for key, t := range read[lang] {
			for _, why := range t.faults(lang) {
				faults = append(faults, fmt.Errorf("%s: %s.json: %s", key, lang, why))
			}
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return faults
}

// faults looks at one entry.
func (t text) faults(lang string) (out []string) {
	if t.plural {
		if got, want := slices.Sorted(maps.Keys(t.forms)), slices.Sorted(slices.Values(forms(lang))); !slices.Equal(got, want) {
			out = append(out, fmt.Sprintf("the plural forms are %v, not %v", got, want))
		}
	}
	for _, form := range slices.Sorted(maps.Keys(t.forms)) {
		out = append(out, faultsOfText(lang, t.forms[form])...)
	}
	return out
}

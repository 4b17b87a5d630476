package resources

import (
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// wishes are the products that a document asks for (domain.md §5.2), as written.
type wishes struct {
	licences []string
	pack     string   // the package
	entitled []string // values of entitlements, when they ask for licences (domain.md §5.5)
}

// wishesOf reads a user's document.
func wishesOf(doc *jsontree.Value, asks bool) wishes {
	var w wishes
	if b := doc.Get(LicenceUserURN); b != nil && b.Kind == jsontree.Object {
		w.licences = textsOf(b.Get("licenses"))
		w.pack = b.GetString("package")
	}
	if asks {
		w.entitled = textsOf(doc.Get("entitlements"))
	}
	return w
}

// textsOf lists the texts of an attribute with many values, simple ones or
// elements with a value, each once without case.
func textsOf(v *jsontree.Value) []string {
	if v == nil {
		return nil
	}
	var out []string
	for _, e := range elements(v) {
		text := e.Text
		if e.Kind == jsontree.Object {
			text = e.GetString("value")
		} else if e.Kind != jsontree.String {
			continue
		}
		if text != "" && !containsSKU(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// containsSKU looks for a SKU without case (BR-154).
func containsSKU(list []string, sku string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return sameSKU(s, sku) })
}

// sameSKU compares SKUs without case (BR-154).
func sameSKU(a, b string) bool { return a == b || FoldSKU(a) == FoldSKU(b) }

// specific reports whether a creation with these wishes names its licences
// (BR-163).
func (w *wishes) specific() bool { return len(w.licences)+len(w.entitled) > 0 || w.pack != "" }

// names reports whether a SKU is wished for.
func (w *wishes) names(sku string) bool {
	return containsSKU(w.licences, sku) || containsSKU(w.entitled, sku) || w.pack != "" && sameSKU(w.pack, sku)
}

// same reports whether two documents ask for the same.
func (w *wishes) same(o *wishes) bool {
	return w.pack == o.pack && slices.Equal(w.licences, o.licences) && slices.Equal(w.entitled, o.entitled)
}

// check refuses SKUs that the catalogue does not have and that were not wished
// for before (BR-154). What is stored may be older than the catalogue; it becomes
// an issue. Entitlements may be about other things, they become issues, too.
func (w *wishes) check(cat *Catalogue, before *wishes) error {
	for _, sku := range w.licences {
		if cat.Product(sku) == nil && !containsSKU(before.licences, sku) {
			return skuUnknown(cat, sku, LicenceUserURN+":licenses", false)
		}
	}
	if w.pack == "" || sameSKU(w.pack, before.pack) {
		return nil
	}
	if p := cat.Product(w.pack); p == nil || !p.Package {
		return skuUnknown(cat, w.pack, LicenceUserURN+":package", true)
	}
	return nil
}

// skuUnknown is the refusal of a SKU, with those that are valid.
func skuUnknown(cat *Catalogue, sku, field string, packages bool) *Error {
	var valid []string
	for i := range cat.Products {
		if !packages || cat.Products[i].Package {
			valid = append(valid, cat.Products[i].SKU)
		}
	}
	what := "licence "
	if packages {
		what = "package "
	}
	const most = 50
	list := strings.Join(valid[:min(len(valid), most)], ", ")
	if len(valid) > most {
		list += ", …"
	}
	return &Error{Code: CodeSKUUnknown, Field: field, Detail: "Unknown " + what + quoted(sku) + "; valid: " + list + "."}
}

// checkSKUs refuses SKUs that the catalogue does not have.
func checkSKUs(cat *Catalogue, skus []string) error {
	w := wishes{licences: skus}
	return w.check(cat, &wishes{})
}

// packageRef marks the source of a product that is wished for as the package.
const packageRef = "package"

// grants takes the licences out of the document of a user that an administrator
// creates and gives them as direct ones: `licenses` is the identity provider's
// own list (domain.md §5.2, §5.8).
func grants(doc *jsontree.Value) []string {
	b := doc.Get(LicenceUserURN)
	if b == nil || b.Kind != jsontree.Object {
		return nil
	}
	out := textsOf(b.Get("licenses"))
	b.Delete("licenses")
	if len(b.Items) == 0 {
		dropLicenceBlock(doc)
	}
	return out
}

// callingWishOf reads what a user's document asks for to call with.
func callingWishOf(doc *jsontree.Value) callingWish {
	var w callingWish
	if b := doc.Get(CallingURN); b != nil && b.Kind == jsontree.Object {
		w.said = [3]string{b.GetString("location"), b.GetString("phoneNumber"), b.GetString("extension")}
		w.Location = strings.TrimSpace(w.said[0])
		w.Number = strings.TrimSpace(w.said[1])
		w.Extension = strings.TrimSpace(w.said[2])
	}
	if numbers := doc.Get("phoneNumbers"); numbers != nil && numbers.Kind == jsontree.Array {
		for i := range numbers.Items {
			if n := &numbers.Items[i]; w.WorkPhone == "" && strings.EqualFold(n.GetString("type"), "work") {
				w.WorkPhone = strings.TrimSpace(n.GetString("value"))
			}
		}
	}
	return w
}

// nameTexts are the names of a user that calling shows (BR-065).
type nameTexts struct{ given, family, shown string }

func callingNames(doc *jsontree.Value) nameTexts {
	n := nameTexts{shown: doc.GetString("displayName")}
	if name := doc.Get("name"); name != nil && name.Kind == jsontree.Object {
		n.given, n.family = name.GetString("givenName"), name.GetString("familyName")
	}
	return n
}

package resources

import "strings"

// Capability is what a product lets people do.
type Capability string

// The capabilities. Calling needs a location and a number or an extension
// (BR-190).
const (
	CapabilityCalling   Capability = "calling"
	CapabilityMeetings  Capability = "meetings"
	CapabilityMessaging Capability = "messaging"
)

// Product is one SKU of the platform's catalogue (domain.md §2).
type Product struct {
	SKU          string       `json:"sku"` // [a-z0-9][a-z0-9._-]{0,62}; compared without case (BR-154)
	Name         string       `json:"name"`
	Paid         bool         `json:"paid,omitempty"` // free products need no subscription and have no bound (BR-167)
	Tier         string       `json:"tier,omitempty"` // for people, for example "professional"
	Capabilities []Capability `json:"capabilities,omitempty"`
	Package      bool         `json:"package,omitempty"`       // a user has at most one package (BR-176)
	Exclusive    []string     `json:"exclusiveWith,omitempty"` // SKUs that nobody has together with this one
	Requires     []string     `json:"requires,omitempty"`      // at least one of these is needed beside it (BR-153)
}

// Catalogue is every product there is, by SKU. It never changes: a change makes
// another one.
type Catalogue struct {
	Products []Product // in the order of SKUs, never empty

	bySKU map[string]*Product // by lower-case SKU
	stamp string              // of the commit that wrote it; "" for the builtin one
}

// Product finds a product by SKU, without case; nil when there is none.
func (c *Catalogue) Product(sku string) *Product { return c.bySKU[FoldSKU(sku)] }

// FoldSKU brings a SKU into the form it is compared and stored in (BR-154).
// Spaces around it are no part of it.
func FoldSKU(sku string) string { return string(FoldText(strings.TrimSpace(sku))) }

// builtinProducts is the catalogue until the operator writes one.
func builtinProducts() []Product {
	const calling, meetings, messaging = CapabilityCalling, CapabilityMeetings, CapabilityMessaging
	return []Product{
		{SKU: "basic", Name: "Basic", Tier: "basic", Capabilities: []Capability{messaging}},
		{SKU: "calling", Name: "Calling", Paid: true, Tier: "professional", Capabilities: []Capability{calling, messaging}, Package: true},
		{SKU: "host", Name: "Meetings host", Paid: true, Tier: "professional", Capabilities: []Capability{meetings}},
		{SKU: "meetings", Name: "Meetings", Paid: true, Tier: "professional", Capabilities: []Capability{meetings, messaging}, Package: true},
		{SKU: "suite", Name: "Suite", Paid: true, Tier: "enterprise", Capabilities: []Capability{calling, meetings, messaging}, Package: true},
		{SKU: "voice", Name: "Voice", Paid: true, Tier: "standard", Capabilities: []Capability{calling}, Package: true},
		{SKU: "webinars", Name: "Webinars", Paid: true, Tier: "professional", Requires: []string{"meetings", "suite", "host"}},
	}
}

// newCatalogue makes a catalogue of products that have been checked.
func newCatalogue(products []Product) *Catalogue {
	c := &Catalogue{Products: products, bySKU: make(map[string]*Product, len(products))}
	for i := range products {
		c.bySKU[FoldSKU(products[i].SKU)] = &products[i]
	}
	return c
}

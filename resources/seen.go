package resources

// seen asks Caller.Seen about a thing that is to be changed; nil stands for one
// that is not there.
func (c Caller) seen(stored any) error {
	if c.Seen == nil {
		return nil
	}
	return c.Seen(stored)
}

// seenProduct is seen for a product of the catalogue.
func (c Caller) seenProduct(p *Product) error {
	if p == nil {
		return c.seen(nil)
	}
	return c.seen(*p)
}

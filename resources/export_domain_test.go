package resources

import "time"

// DomainName is how the name of a domain is read.
func DomainName(text string) (string, error) { return domainName(text) }

// PublicDomains lists the domains of providers that are known.
func PublicDomains() map[string]bool { return publicDomains() }

// Looked notes a look at DNS and tells the event, whether users are settled again,
// and whether administrators are told that the record is missing or back.
func (dm *Domain) Looked(found bool, now time.Time) (event string, resettle, warn, back bool) {
	l := dm.looked(found, now)
	return l.event, l.resettle, l.warn, l.back
}

// NextLook is when DNS is looked at next by itself.
func (dm *Domain) NextLook(now time.Time) time.Time { return dm.nextLook(now) }

// Verifies reports whether domains cover an address.
func Verifies(domains []Domain, key string) bool {
	p := &Plan{Domains: domains, proven: provenDomains(domains)}
	return p.verifies(key)
}

package issuer

import (
	"maps"
	"time"
)

// Faults is what a provider does wrong. The zero value is honest.
type Faults struct {
	Token  Lie    // of ID tokens
	Replay bool   // every exchange gets the ID token that was given first
	Omit   bool   // the token endpoint gives no ID token
	Reject string // error of the token endpoint
	Deny   string // error of the authorization endpoint

	Iss      *string        // iss of the authorization response; nil: the issuer, "": none
	UserInfo map[string]any // members put over those of UserInfo; nil removes one

	Discovery     map[string]any // members put over those of the discovery document; nil removes one
	DiscoverySize int            // bytes that the document has at least
	KeysSize      int
	KeysDelay     time.Duration
	KeysRedirect  string // where the key set is said to be found
	TokenRedirect string // where the token endpoint sends on
	Down          bool   // nothing is answered but 503
}

// Lie is what is wrong with a token.
type Lie struct {
	Alg    string         // none, or HS256 with the client's secret; "": that of the key
	Header map[string]any // members put over those of the header; nil removes one
	Claims map[string]any // claims put over those of the token; nil removes one
	Twice  string         // a claim that stands twice, first with another value
	Forged bool           // by a key of nobody, under the name of the right one
	Weak   bool           // by a published RSA key of 1024 bits
}

// Set makes the provider lie from now on.
func (p *Provider) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// over puts members over others; nil removes one.
func over(members, lies map[string]any) map[string]any {
	out := maps.Clone(members)
	for name, v := range lies {
		if v == nil {
			delete(out, name)
		} else {
			out[name] = v
		}
	}
	return out
}

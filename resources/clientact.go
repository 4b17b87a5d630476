package resources

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// IssuedSecret is a client's secret with its text, which is shown this once.
type IssuedSecret struct {
	ClientSecret
	Text string
}

// CreateClient makes a client for a new connection of an organization. With
// MethodSecret it has a first secret, whose text is shown this once; else the
// secret is nil. Codes: not_found, invalid_value, too_many.
func (d *Directory) CreateClient(ctx context.Context, c Caller, slug string, spec ClientSpec) (*Client, *IssuedSecret, error) {
	org, err := d.clientOwner(ctx, c, slug)
	if err != nil {
		return nil, nil, err
	}
	if spec, err = spec.normalised(org); err != nil {
		return nil, nil, err
	}
	all, err := d.clientsOf(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	if len(all) >= clientsMost {
		return nil, nil, &Error{Code: CodeTooMany, Detail: fmt.Sprintf("An organization has at most %d clients; delete one that is not used.", clientsMost)}
	}
	now := d.now().UTC().Truncate(time.Millisecond)
	cl := &Client{
		Name: spec.Name, Method: spec.Method, Scopes: spec.Scopes, Profile: spec.Profile, Policy: spec.Policy, Strict: spec.Strict, Asks: spec.Asks,
		Lifetime: spec.TokenLifetime, Keys: spec.Keys, Trust: spec.Trust, Cert: spec.Cert, Created: now,
	}
	var secret *IssuedSecret
	if spec.Method == MethodSecret {
		if secret, err = d.newSecret(now, spec.SecretLifetime); err != nil {
			return nil, nil, err
		}
		cl.Secrets = []ClientSecret{secret.ClientSecret}
	}
	_, err = d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		if cl.ID, err = d.newID(KindSetting, now); err != nil {
			return err
		}
		cl.Connection = cl.ID
		rec, err := cl.record(nil, now)
		if err != nil {
			return err
		}
		tx.Put(nil, rec, nil, nounClient.entries(cl.ID))
		tx.Event(Event{Type: "client.created", Kind: KindSetting, ID: cl.ID, Version: 1, Actor: c.Token, Request: c.Request})
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("create client: %w", err)
	}
	d.forgetCallers() // a refused token of an issuer that is trusted now
	return cl, secret, nil
}

// clientOwner finds the organization whose clients are meant. Operators have
// tokens only.
func (d *Directory) clientOwner(ctx context.Context, c Caller, slug string) (OrgID, error) {
	if err := c.mayPlatform(); err != nil {
		return "", err
	}
	if slug == PlatformSlug {
		return "", &Error{Code: CodeNotFound, Detail: "Operators have API tokens, not clients; name an organization."}
	}
	return d.owner(ctx, slug)
}

// newSecret makes a secret. Its id is that of a token, so that it sorts by time.
func (d *Directory) newSecret(now time.Time, lifetime time.Duration) (*IssuedSecret, error) {
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(d.random, raw); err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	id, err := d.newID(KindToken, now)
	if err != nil {
		return nil, err
	}
	text := secretPrefix + secretEncoding.EncodeToString(raw)
	return &IssuedSecret{ClientSecret{ID: id, Hash: hashSecret(text), Created: now, Expires: now.Add(lifetime)}, text}, nil
}

// ListClients lists an organization's clients, oldest first.
func (d *Directory) ListClients(ctx context.Context, c Caller, slug string) ([]*Client, error) {
	org, err := d.clientOwner(ctx, c, slug)
	if err != nil {
		return nil, err
	}
	return d.clientsOf(ctx, org)
}

func (d *Directory) clientsOf(ctx context.Context, org OrgID) ([]*Client, error) {
	var out []*Client
	for offset := 0; ; {
		page, err := d.store.Find(ctx, org, Query{Kind: KindSetting, Where: nounClient.all(), Offset: offset, Limit: 200, NoGroups: true, Budget: d.budget})
		if err != nil {
			return nil, fmt.Errorf("list clients: %w", err)
		}
		for _, rec := range page.Records {
			cl, err := clientOf(rec)
			if err != nil {
				return nil, err
			}
			if cl != nil {
				out = append(out, cl)
			}
		}
		if offset += len(page.Records); len(page.Records) == 0 || offset >= page.Total {
			return out, nil
		}
	}
}

// changeClient runs change on a client inside a commit and stores what it made
// of it.
func (d *Directory) changeClient(ctx context.Context, c Caller, slug, id string, change func(*Client) error) (*Client, error) {
	org, err := d.clientOwner(ctx, c, slug)
	if err != nil {
		return nil, err
	}
	if k, ok := KindOf(id); !ok || k != KindSetting {
		return nil, noClient()
	}
	var result *Client
	_, err = d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		rec, cl, err := readClient(tx, id)
		if err != nil {
			return err
		}
		if err := change(cl); err != nil {
			return err
		}
		next, err := cl.record(rec, d.now())
		if err != nil {
			return err
		}
		tx.Put(rec, next, nounClient.entries(id), nounClient.entries(id))
		tx.Event(Event{Type: "client.updated", Kind: KindSetting, ID: id, Version: next.Version, Actor: c.Token, Request: c.Request, Changed: []string{"secrets"}})
		result = cl
		return nil
	})
	d.forgetCallers()
	if err != nil {
		return nil, fmt.Errorf("change client: %w", err)
	}
	return result, nil
}

func noClient() error { return &Error{Code: CodeNotFound, Detail: "There is no such client."} }

// readClient reads a client for change.
func readClient(tx Tx, id string) (*Record, *Client, error) {
	rec, err := tx.Read(KindSetting, id)
	if err != nil {
		return nil, nil, err
	}
	cl, err := clientOf(rec)
	if err == nil && cl == nil {
		err = noClient()
	}
	return rec, cl, err
}

// RotateClientSecret gives a client a second secret; the first works until it
// is revoked or expires. At most two are alive at once: one more is
// too_many_secrets. A lifetime of 0 is a year. Codes: not_found, invalid_value.
func (d *Directory) RotateClientSecret(ctx context.Context, c Caller, slug, id string, lifetime time.Duration) (*Client, *IssuedSecret, error) {
	lifetime, err := lifeOfSecret(lifetime)
	if err != nil {
		return nil, nil, err
	}
	now := d.now().UTC().Truncate(time.Millisecond)
	secret, err := d.newSecret(now, lifetime)
	if err != nil {
		return nil, nil, err
	}
	cl, err := d.changeClient(ctx, c, slug, id, func(cl *Client) error {
		if cl.Method != MethodSecret {
			return invalidField("method", "A client of the method %s has no secrets.", cl.Method)
		}
		cl.Secrets = slices.DeleteFunc(cl.Secrets, func(s ClientSecret) bool { return !now.Before(s.Expires) })
		if len(cl.Secrets) >= secretsMost {
			return &Error{Code: CodeTooManySecrets, Detail: "Two secrets of this client are alive already; revoke one before rotating again."}
		}
		cl.Secrets = append(cl.Secrets, secret.ClientSecret)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return cl, secret, nil
}

// RevokeClientSecret ends a client's secret, and with it the access tokens that
// were issued for it: at once on this node, within five seconds on every other.
func (d *Directory) RevokeClientSecret(ctx context.Context, c Caller, slug, id, secret string) error {
	_, err := d.changeClient(ctx, c, slug, id, func(cl *Client) error {
		at := slices.IndexFunc(cl.Secrets, func(s ClientSecret) bool { return s.ID == secret })
		if at < 0 {
			return &Error{Code: CodeNotFound, Detail: "The client has no such secret."}
		}
		cl.Secrets = slices.Delete(cl.Secrets, at, at+1)
		return nil
	})
	return err
}

// DeleteClient ends a client and every access token it has: at once on this
// node, within five seconds on every other.
func (d *Directory) DeleteClient(ctx context.Context, c Caller, slug, id string) error {
	org, err := d.clientOwner(ctx, c, slug)
	if err != nil {
		return err
	}
	if k, ok := KindOf(id); !ok || k != KindSetting {
		return noClient()
	}
	_, err = d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		rec, _, err := readClient(tx, id)
		if err != nil {
			return err
		}
		// Its access tokens are refused without it, and are swept when they expire.
		tx.Delete(rec, nounClient.entries(id))
		tx.Event(Event{Type: "client.deleted", Kind: KindSetting, ID: id, Actor: c.Token, Request: c.Request})
		return nil
	})
	d.forgetCallers()
	if err != nil {
		return fmt.Errorf("delete client: %w", err)
	}
	return nil
}

// noteClientUse records that a trusted issuer's token was used, at most once an
// hour. A request never fails because this could not be written.
func (d *Directory) noteClientUse(ctx context.Context, org OrgID, cl *Client, now time.Time) {
	hour := now.UTC().Truncate(time.Hour)
	if !cl.LastUsed.Before(hour) {
		return
	}
	_, err := d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		rec, used, err := readClient(tx, cl.ID)
		if HasCode(err, CodeNotFound) {
			return nil // deleted meanwhile
		}
		if err != nil || !used.LastUsed.Before(hour) {
			return err
		}
		used.LastUsed = hour
		return used.touch(tx, rec, now)
	})
	if err != nil {
		d.log.WarnContext(ctx, "client use not noted", "client", cl.ID, "err", err)
	}
}

// touch stores a client whose bookkeeping changed: nothing that an
// administrator decided, hence no event.
func (cl *Client) touch(tx Tx, rec *Record, now time.Time) error {
	next, err := cl.record(rec, now)
	if err != nil {
		return err
	}
	next.Modified = rec.Modified
	tx.Put(rec, next, nounClient.entries(cl.ID), nounClient.entries(cl.ID))
	return nil
}

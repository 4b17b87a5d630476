package resources

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// somebody is who an address belongs to, or nobody: then everything is empty, and
// was looked for all the same, so that the time does not tell (security P3).
type somebody struct {
	org    *Organization // nil: nobody
	id     OrgID
	user   User
	rec    *Record
	access *access
}

// there reports whether there is somebody who can come in.
func (w *somebody) there() bool {
	return w.org != nil && w.org.serves() == nil && w.rec != nil && !w.user.Inactive
}

// nobodyID is a user that there never is, nor its organization.
const nobodyID = "00000000000000000000"

const nobodyOrg OrgID = "00000000000000000003"

// knock looks for who has an address, in whichever organization.
func (d *Directory) knock(ctx context.Context, address string) (*somebody, error) {
	key, ok := EmailKey(address)
	if !ok {
		key = "nobody"
	}
	id, org, err := d.store.Holder(ctx, Claim{ClaimEmail, key})
	if err != nil {
		return nil, fmt.Errorf("find an address: %w", err)
	}
	if id == "" {
		id, org = nobodyID, nobodyOrg
	}
	return d.meet(ctx, org, id)
}

// meet reads a user of an organization, with what lets it in.
func (d *Directory) meet(ctx context.Context, org OrgID, id string) (*somebody, error) {
	w := &somebody{id: org}
	o, err := d.orgByID(ctx, org)
	if err != nil {
		return nil, err
	}
	recs, err := d.store.Many(ctx, org, []string{id, accessID(id)})
	if err != nil {
		return nil, fmt.Errorf("read who has an address: %w", err)
	}
	if w.access, err = accessOf(recs[1], id); err != nil {
		return nil, err
	}
	if o == nil || recs[0] == nil {
		w.access = &access{User: id}
		return w, nil
	}
	w.org, w.rec = o, recs[0]
	w.user, err = storedUser(w.rec)
	return w, err
}

// codeTries is how often the code of a mail may be wrong (BR-101).
const codeTries = 5

// UseCode gives the token of the link to who has the address and the code of the
// same mail (BR-102). A try is counted before it is looked at, so that no more than
// five of the same code ever are. Codes: activation_code_invalid,
// activation_code_locked, rate_limited, the same for addresses that are nobody's;
// activation_expired for a right code that came too late.
func (d *Directory) UseCode(ctx context.Context, address, code string, v Visitor) (token string, err error) {
	account := accountOf(address)
	if err := d.within(ctx, "code-network", networkOf(v.Address, 32), codesPerNetwork, time.Hour); err != nil {
		return "", err
	}
	if err := d.within(ctx, "code-address", account, codesPerAddress, time.Hour); err != nil {
		return "", err
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return "", err
	}
	w, err := d.knock(ctx, address)
	if err != nil {
		return "", err
	}
	has, mail := w.access.credentialFor(PurposeActivate), account
	if has == nil || w.rec == nil {
		has = &credential{}
	} else {
		mail = has.Mail
	}
	until := d.now().Add(activateFor)
	told, err := d.vault.Count(ctx, PlatformOrg, "code-told", account, until)
	if err != nil {
		return "", fmt.Errorf("count codes: %w", err)
	}
	tries, err := d.vault.Count(ctx, PlatformOrg, "code-mail", mail, until)
	if err != nil {
		return "", fmt.Errorf("count codes: %w", err)
	}
	of := carried{w.id, has, w.access.User}
	if tries <= codeTries && of.codeIs(keys, digitsOf(code), has.Code) {
		if link, ok := of.linkLike(keys, has.Token); ok && has.works(&w.user, d.now()) && w.there() {
			return link.String(), nil
		}
		return "", linkExpired()
	}
	// What is told follows from the tries with the address alone: those of a mail
	// would tell that there is one.
	if told > codeTries {
		return "", &Error{Code: CodeCodeLocked, Detail: "The code was wrong too often. Use the link in the message, or ask for a new message."}
	}
	return "", &Error{Code: CodeWrongCode, Field: "code", Detail: "The address or the code is not right; the code has six digits and is that of the latest message."}
}

// digitsOf is a code as people copy it, without the spaces between.
func digitsOf(code string) string {
	return strings.Join(strings.Fields(clip(code, 40)), "")
}

// SendAgain sends a new link to who follows an expired one: token is that of the
// old link, or address what was typed (BR-111). The answer does not tell whether
// there is anybody. Codes: rate_limited.
func (d *Directory) SendAgain(ctx context.Context, token, address string, v Visitor) error {
	key := accountOf(address)
	if token != "" {
		key = hashSecret("link " + clip(token, 200))
	}
	if err := d.mayMail(ctx, key, v); err != nil {
		return err
	}
	if token == "" {
		w, err := d.knock(ctx, address)
		if err != nil {
			return err
		}
		return d.sendLink(ctx, w, w.activation(), key)
	}
	link, ok := parseLink(token)
	if !ok {
		link = linkToken{org: nobodyOrg, user: nobodyID}
	}
	w, err := d.meet(ctx, link.org, link.user)
	if err != nil {
		return err
	}
	var m *Mail
	switch c, spent := w.access.found(link); {
	case spent || c != nil && c.Purpose == PurposeActivate:
		m = w.activation()
	case c != nil && c.Purpose == PurposeReset:
		m = w.reset()
	}
	return d.sendLink(ctx, w, m, key)
}

// ForgotPassword sends a link to set a new password, when there is somebody to
// send it to: to who is active, and, to who is not yet, one that activates. The
// answer does not tell. Codes: rate_limited.
func (d *Directory) ForgotPassword(ctx context.Context, address string, v Visitor) error {
	key := accountOf(address)
	if err := d.mayMail(ctx, key, v); err != nil {
		return err
	}
	w, err := d.knock(ctx, address)
	if err != nil {
		return err
	}
	m := w.reset()
	if m == nil {
		m = w.activation()
	}
	return d.sendLink(ctx, w, m, key)
}

// mayMail counts who asks for a mail.
func (d *Directory) mayMail(ctx context.Context, key string, v Visitor) error {
	if err := d.within(ctx, "link-network", networkOf(v.Address, 32), mailsPerNetwork, time.Hour); err != nil {
		return err
	}
	return d.within(ctx, "link-address", key, mailsPerAddress, time.Hour)
}

// activation is the mail that brings somebody in who asked for it; nil for who is
// in already.
func (w *somebody) activation() *Mail {
	if !w.there() || w.user.IdentityKey == "" || w.user.standing.activated() {
		return nil
	}
	return &Mail{Template: MailAgain, Purpose: PurposeActivate, To: w.user.Identity}
}

// reset is the mail by which somebody sets another password; nil for who never
// came in.
func (w *somebody) reset() *Mail {
	if !w.there() || w.user.IdentityKey == "" || !w.user.standing.activated() {
		return nil
	}
	return &Mail{Template: MailReset, Purpose: PurposeReset, To: w.user.confirmed()}
}

// sendLink queues a mail that somebody asked for; nil is none. Whether the
// organization wants it, and whether there was one just now, is not told. As much
// is written when there is nothing to send.
func (d *Directory) sendLink(ctx context.Context, w *somebody, m *Mail, key string) error {
	p, err := d.planFor(ctx, w.id)
	if err != nil {
		return err
	}
	o := w.org
	if o == nil {
		o = &Organization{ID: w.id}
	}
	way, err := d.wayInto(ctx, o, w.user.IdentityKey, &w.user.standing)
	if err != nil {
		return err
	}
	if m != nil && (m.Purpose == PurposeReset && way.Forced || m.Purpose == PurposeActivate && p.Settings.NoSelfResend) {
		m = nil
	}
	to := key
	if m != nil {
		to = w.rec.ID
	}
	n, err := d.vault.Count(ctx, PlatformOrg, "link-user", to, d.now().Add(again))
	if err != nil {
		return fmt.Errorf("count mails: %w", err)
	}
	if m == nil || n > 1 {
		return d.vault.Put(ctx, PlatformOrg, "link-none", key, []byte{'1'}, d.now().Add(again))
	}
	m.User, m.Trigger, m.By = w.rec.ID, TriggerSelf, w.rec.ID
	if _, err := d.store.Update(ctx, w.id, func(_ context.Context, tx Tx) error {
		next := *m
		return d.queueMail(tx, &next)
	}); err != nil {
		return fmt.Errorf("queue a mail: %w", err)
	}
	return nil
}

package resources

import (
	"encoding/json"
	"fmt"
	"time"
)

// access is what lets one user in. It is a record of its own beside the user's:
// it changes with every wrong code without moving the user's version, and no
// reader of users ever meets it. It goes with the user.
type access struct {
	User        string       `json:"user"`
	Password    []byte       `json:"password,omitempty"`    // a PHC string, sealed (security P2)
	PasswordSet int64        `json:"passwordSet,omitempty"` // milliseconds since 1970
	Links       []Link       `json:"links,omitempty"`       // at most one for each issuer (BR-112)
	Credentials []credential `json:"credentials,omitempty"` // at most one for each purpose (domain.md §2)
	Spent       [][]byte     `json:"spent,omitempty"`       // what was Token of activation links that others replaced, the latest (BR-110)

	rec *Record // as stored; nil when there is none yet
}

// Link pins a subject of an identity provider to a user (domain.md §2). The pair
// is claimed over all organizations, see ClaimSubject.
type Link struct {
	Connection string    `json:"connection"` // id of the connection it was made by
	Issuer     string    `json:"issuer"`
	Subject    string    `json:"subject"`
	Linked     time.Time `json:"linked"`
	By         string    `json:"by"` // external_id, email, jit
}

// Purpose says what a link or code in a mail is for.
type Purpose string

// The purposes.
const (
	PurposeActivate Purpose = "activate"
	PurposeVerify   Purpose = "verify" // a changed address (BR-005)
	PurposeReset    Purpose = "reset"  // of the password
)

// credential is a link with a code that was sent to a user (domain.md §3.2). The
// clear text follows from the mail and a key that is not in the store; kept are
// hashes alone.
type credential struct {
	Purpose Purpose `json:"purpose"`
	Mail    string  `json:"mail"`           // id of the mail that carries it
	Epoch   int     `json:"epoch"`          // of the user when it was made; another one makes it worthless
	SentTo  string  `json:"sentTo"`         // EmailKey of the address; a changed address makes it worthless
	Token   []byte  `json:"token"`          // SHA-256 of the link's secret
	Code    []byte  `json:"code,omitempty"` // keyed hash of the code
	Issued  int64   `json:"issued"`         // milliseconds since 1970
	Expires int64   `json:"expires"`
	Used    int64   `json:"used,omitempty"`    // when what it was for was done; it is good for nothing any more
	Pending []byte  `json:"pending,omitempty"` // of activations: the password that was chosen, sealed; it counts once the user is active (security H1)
}

// accessID is the id of the record of what lets a user in. It stands beside the
// user's history of packages, see settingID.
func accessID(user string) string {
	id := []byte(settingID(user))
	for i := range len(idAlphabet) {
		if idAlphabet[i] == id[idLength-1] {
			id[idLength-1] = idAlphabet[i^8]
			break
		}
	}
	return string(id)
}

// accessIn reads what lets a user in, for change; what is empty when there is
// nothing yet.
func accessIn(tx Tx, user string) (*access, error) {
	rec, err := tx.Read(KindSetting, accessID(user))
	if err != nil {
		return nil, err
	}
	return accessOf(rec, user)
}

// accessOf decodes what lets a user in; rec nil says that nothing does yet.
func accessOf(rec *Record, user string) (*access, error) {
	a := &access{User: user, rec: rec}
	if rec == nil {
		return a, nil
	}
	if err := json.Unmarshal(rec.Profile, a); err != nil {
		return nil, fmt.Errorf("decode the access of %s: %w", user, err)
	}
	if a.User != user {
		return nil, fmt.Errorf("the access record of %s is that of %s", user, a.User)
	}
	return a, nil
}

// put asks for it to be stored.
func (a *access) put(tx Tx, now time.Time) error {
	rec, err := place{Noun: nounAccess}.put(tx, a.rec, accessID(a.User), "", a, now)
	if err == nil {
		a.rec = rec
	}
	return err
}

// drop asks for it to be removed with the user, and gives the subjects back.
func (a *access) drop(tx Tx) {
	for _, l := range a.Links {
		tx.Release(subjectClaim(l.Issuer, l.Subject), a.User)
	}
	if a.rec != nil {
		tx.Delete(a.rec, placeOf(a.rec).entries(a.rec.ID))
	}
}

// credentialFor finds the credential for a purpose; nil when there is none.
func (a *access) credentialFor(p Purpose) *credential {
	for i := range a.Credentials {
		if a.Credentials[i].Purpose == p {
			return &a.Credentials[i]
		}
	}
	return nil
}

// subjectClaim is the claim on a subject of an issuer (BR-112).
func subjectClaim(issuer, subject string) Claim {
	return Claim{ClaimSubject, hashSecret(issuer + "\x00" + subject)}
}

package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// userForm is a user as a large identity provider sends it, about 1.2 KB. The
// marks are replaced: names are numbers of fixed width, so that a prepared
// command can be turned into another one of the same length.
const userForm = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],` +
	`"externalId":"00u@@@@@@@@","userName":"user@@@@@@@@@acme.example","name":{"formatted":"Given@@@@@@@@ Family@@@@@@@@","familyName":"Family@@@@@@@@","givenName":"Given@@@@@@@@"},` +
	`"displayName":"Given@@@@@@@@ Family@@@@@@@@","nickName":"Giv","title":"Customer Support Engineer","userType":"Employee","preferredLanguage":"fr-FR","locale":"fr-FR","timezone":"Europe/Paris","active":true,` +
	`"emails":[{"value":"user@@@@@@@@@acme.example","type":"work","primary":true},{"value":"home@@@@@@@@@mail.example","type":"home"}],` +
	`"phoneNumbers":[{"value":"+33 1 @@@@@@@@","type":"work"}],` +
	`"addresses":[{"streetAddress":"@@@@@@@@ rue de la République","locality":"Lyon","region":"Auvergne-Rhône-Alpes","postalCode":"69002","country":"FR","type":"work","primary":true}],` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E@@@@@@@@","costCenter":"4130","organization":"Acme","division":"Customer Care","department":"Support","manager":{"value":"00000000000000000000"}}}`

const numberMark = "@@@@@@@@"

// userJSON is the n-th user.
func userJSON(n int) string {
	return strings.ReplaceAll(userForm, numberMark, fmt.Sprintf("%08d", n))
}

func userName(n int) string { return fmt.Sprintf("user%08d@acme.example", n) }

// data is the loaded organization.
type data struct {
	dir    *resources.Directory
	caller resources.Caller
	token  string
	prefix string   // path of its SCIM root
	first  int      // number of its first user
	users  []string // ids, in order of the numbers
	free   int      // so many of the last users are in no group
	made   atomic.Int64
	small  string // a group of ten members
	large  string // a group of everybody who is not free, 500 000 at most
	size   int    // members of large
}

// grow creates users until there are n.
func (d *data) grow(ctx context.Context, n int, progress func(done, total int)) error {
	const workers = 16
	from := len(d.users)
	d.users = append(d.users, make([]string, n-from)...)
	var next atomic.Int64
	next.Store(int64(from))
	var wg sync.WaitGroup
	faults := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || faults[w] != nil || ctx.Err() != nil {
					return
				}
				d.users[i], faults[w] = d.create(ctx, d.first+i)
				if i%10_000 == 0 {
					progress(i, n)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range faults {
		if err != nil {
			return fmt.Errorf("load users: %w", err)
		}
	}
	d.made.Store(int64(d.first + n))
	progress(n, n)
	return ctx.Err()
}

func (d *data) create(ctx context.Context, n int) (string, error) {
	doc, err := jsontree.Parse([]byte(userJSON(n)), jsontree.BodyLimits())
	if err != nil {
		return "", err
	}
	var rec *resources.Record
	err = d.named(ctx, resources.KindUser, func(c resources.Caller) (err error) {
		rec, err = d.dir.CreateUser(ctx, c, doc.Clone())
		return err
	})
	if err != nil {
		return "", err
	}
	return rec.ID, nil
}

// named creates something under an id that is chosen before, again and again
// while the store cannot answer: a load of many minutes must not end because a
// busy machine has let a server wait.
func (d *data) named(ctx context.Context, kind resources.Kind, create func(resources.Caller) error) error {
	id, err := resources.NewID(kind, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	c := d.caller
	c.NewID = id
	return patiently(ctx, func() error { return create(c) })
}

// patiently repeats what may be done twice while the store cannot answer.
func patiently(ctx context.Context, act func() error) error {
	const tries = 30
	for i := 1; ; i++ {
		err := act()
		if !errors.Is(err, resources.ErrUnavailable) || i == tries || ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Second)
	}
}

// group creates a group of the first n users.
func (d *data) group(ctx context.Context, name string, n int) (string, error) {
	id, err := d.newGroup(ctx, name, nil)
	if err != nil {
		return "", fmt.Errorf("load group of %d: %w", n, err)
	}
	return id, d.addMembers(ctx, id, d.users[:n])
}

// pick is a cheap pseudo-random number below n, different for every request.
func pick(worker, i, n int) int {
	x := uint64(worker)<<32 | uint64(i)
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return int(x % uint64(n))
}

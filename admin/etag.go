package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// tagOf is the entity tag of something that can be changed: of users and groups
// the version of their document, of everything else a hash of what is stored.
// All tags are weak, because bodies of one version can differ in what is shown
// beside it.
func tagOf(v any) (string, error) {
	switch n := v.(type) {
	case *resources.Record:
		return versionTag(n.Version), nil
	}
	body, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return `W/"` + hex.EncodeToString(sum[:8]) + `"`, nil
}

func versionTag(version uint64) string { return `W/"` + strconv.FormatUint(version, 10) + `"` }

// Conditional is embedded in the input of operations that change something.
type Conditional struct {
	IfMatch string `header:"If-Match" maxLength:"1000" doc:"The ETag that was read, or *. The operation is refused with 412 when it is another one by now. Tags are compared weakly."`
}

// seen gives the check that If-Match asks for, to be made inside the commit
// (resources.Caller.Seen); nil when it asks for none.
func (c *Conditional) seen() func(stored any) error {
	header := strings.TrimSpace(c.IfMatch)
	if header == "" {
		return nil
	}
	return func(stored any) error {
		if stored == nil {
			return &resources.Error{Code: resources.CodeVersion, Field: "header.If-Match", Detail: "There is nothing of this name yet; leave If-Match out to create it."}
		}
		tag, err := tagOf(stored)
		if err != nil {
			return err
		}
		if matches(header, tag) {
			return nil
		}
		return &resources.Error{Code: resources.CodeVersion, Field: "header.If-Match", Detail: "It has been changed since you read it; its ETag is " + tag + " by now. Read it again and repeat the change."}
	}
}

// seenRecord is seen for users and groups.
func (c *Conditional) seenRecord() func(*resources.Record) error {
	check := c.seen()
	if check == nil {
		return nil
	}
	return func(rec *resources.Record) error { return check(rec) }
}

// matches compares the tags of an If-Match or If-None-Match weakly
// (RFC 9110 §8.8.3.2).
func matches(header, tag string) bool {
	strong := strings.TrimPrefix(tag, "W/")
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == strong {
			return true
		}
	}
	return false
}

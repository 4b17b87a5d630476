package scim

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// appendTag writes the version of what a reader sees: for users the document
// and the groups shown, for groups the document and the membership (R-29,
// What usher makes when it is asked for has its content for a version.
// meta.version and ETag are this text.
func appendTag(dst []byte, rec *resources.Record) []byte {
	if rec.Kind == resources.KindSetting {
		return append(dst, contentTag(rec.Profile)...)
	}
	dst = append(dst, `W/"`...)
	dst = strconv.AppendUint(dst, rec.Version, 10)
	switch {
	case rec.Kind == resources.KindGroup:
		dst = append(dst, '.')
		dst = strconv.AppendUint(dst, rec.Links, 10)
	case len(rec.Groups) > 0:
		sum := uint64(fnvOffset)
		for i := range rec.Groups {
			sum = fnvText(fnvText(sum, rec.Groups[i].ID), rec.Groups[i].Display)
		}
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, sum, 36)
	}
	return append(dst, '"')
}

// FNV-1a of 64 bits, as in hash/fnv, which would copy every text.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// fnvText adds a text and a NUL, which keeps texts apart, to a sum.
func fnvText(sum uint64, s string) uint64 {
	for i := 0; i < len(s); i++ {
		sum = (sum ^ uint64(s[i])) * fnvPrime
	}
	return sum * fnvPrime
}

// tagOf is appendTag as text.
func tagOf(rec *resources.Record) string {
	var buf [64]byte
	return string(appendTag(buf[:0], rec))
}

// conditions are the preconditions of a request (RFC 9110 §13.1).
type conditions struct{ match, none []string }

func conditionsOf(h http.Header) conditions {
	return conditions{match: h["If-Match"], none: h["If-None-Match"]}
}

// any reports whether there are conditions, so that the resource must be read.
func (p conditions) any() bool { return len(p.match) > 0 || len(p.none) > 0 }

// matches compares weakly: usher's versions are weak. A list may come
// in several headers; a version without quotes is understood.
func matches(headers []string, tag string) bool {
	want := opaque(tag)
	for _, h := range headers {
		for one := range strings.SplitSeq(h, ",") {
			if one = strings.TrimSpace(one); one == "*" || (one != "" && opaque(one) == want) {
				return true
			}
		}
	}
	return false
}

func opaque(tag string) string {
	if len(tag) > 2 && (tag[0] == 'W' || tag[0] == 'w') && tag[1] == '/' {
		tag = tag[2:]
	}
	return strings.Trim(tag, `"`)
}

// allow lets a write through, or refuses it with 412.
func (p conditions) allow(rec *resources.Record) error {
	if !p.any() {
		return nil
	}
	tag := tagOf(rec)
	if len(p.match) > 0 && !matches(p.match, tag) {
		return &resources.Error{Code: resources.CodeVersion, Detail: "The resource is not at the version that If-Match names, it is at " + tag + "; read it again and repeat the change."}
	}
	if len(p.none) > 0 && matches(p.none, tag) {
		return &resources.Error{Code: resources.CodeVersion, Detail: "The resource is at " + tag + ", which If-None-Match excludes."}
	}
	return nil
}

// unchanged reports whether a reader has this version already (304).
func (p conditions) unchanged(tag string) bool { return len(p.none) > 0 && matches(p.none, tag) }

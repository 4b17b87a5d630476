package scim

import (
	"fmt"
	"strconv"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/schema"
)

// appendTime writes a date as it is shown: UTC, milliseconds, Z. It stands in
// every answer, and a layout would cost more than all the rest of meta.
func appendTime(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendTwo(append(appendTwo(appendTwo(dst, year/100), year%100), '-'), int(month))
	dst = appendTwo(append(appendTwo(append(dst, '-'), day), 'T'), hour)
	dst = appendTwo(append(appendTwo(append(dst, ':'), minute), ':'), second)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(appendTwo(append(dst, '.', byte('0'+ms/100)), ms%100), 'Z')
}

// appendTwo writes a number below 100 with two digits.
func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}

// view is how the resources of one answer are shown.
type view struct {
	base   string            // absolute URL of the SCIM service
	caller *resources.Caller // who asks
	typ    *schema.Type      // of the resources shown
	only   projection        // which attributes; the zero value shows what is returned by default
}

// appendOpen writes a resource but for its members and its closing brace. The
// stored bytes are copied as they are unless the projection goes into them, or
// they may hold what is not shown to everybody.
func (v *view) appendOpen(dst []byte, rec *resources.Record) ([]byte, error) {
	if v.only.deep || v.typ.Hides {
		return v.appendSelected(dst, rec)
	}
	return v.appendStored(dst, rec, !v.only.noGroups, !v.only.noMeta), nil
}

// appendStored copies the stored bytes and adds what is not stored with them.
func (v *view) appendStored(dst []byte, rec *resources.Record, groups, meta bool) []byte {
	if rec.Kind == resources.KindUser {
		dst = v.appendOrganization(dst, rec.Profile)
	} else {
		dst = append(dst, rec.Profile[:len(rec.Profile)-1]...)
	}
	if groups && rec.Kind == resources.KindUser && len(rec.Groups) > 0 {
		dst = v.appendGroups(append(dst, `,"groups":`...), rec.Groups)
	}
	if meta {
		dst = v.appendMeta(append(dst, `,"meta":`...), rec)
	}
	return dst
}

// appendSelected decodes the whole resource and writes what the projection
// leaves of it. It is never empty: schemas and id always stay.
func (v *view) appendSelected(dst []byte, rec *resources.Record) ([]byte, error) {
	list := v.only.list
	if list == nil {
		list = filter.Defaults(v.typ)
	}
	whole := append(v.appendStored(nil, rec, !v.only.noGroups, !v.only.noMeta), '}')
	doc, err := jsontree.Parse(whole, jsontree.Limits{})
	if err != nil {
		return dst, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	if v.only.deep && rec.Kind == resources.KindUser {
		addApart(&doc, rec)
	}
	list.Apply(&doc)
	dst = doc.Append(dst)
	return dst[:len(dst)-1], nil
}

// addApart puts into a user's document what it shows on request only.
func addApart(doc *jsontree.Value, rec *resources.Record) {
	block := doc.Get(resources.LifecycleURN)
	if block == nil || block.Kind != jsontree.Object {
		return
	}
	apart := resources.ShownApart(rec)
	block.Items = append(block.Items, apart.Items...)
}

// appendGroups writes the value of a user's groups. Ids and URLs
// hold nothing that JSON escapes.
func (v *view) appendGroups(dst []byte, groups []resources.GroupRef) []byte {
	dst = append(dst, '[')
	for i := range groups {
		g := &groups[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"value":"`...)
		dst = append(dst, g.ID...)
		dst = append(dst, `","$ref":"`...)
		dst = append(dst, v.base...)
		dst = append(dst, "/Groups/"...)
		dst = append(dst, g.ID...)
		dst = append(dst, '"')
		dst = appendText(dst, `,"display":`, g.Display)
		dst = append(dst, `,"type":"direct"}`...)
	}
	return append(dst, ']')
}

// appendMeta writes the value of meta (R-26…R-29). What usher makes when it is
// asked for has no times.
func (v *view) appendMeta(dst []byte, rec *resources.Record) []byte {
	dst = append(dst, `{"resourceType":"`...)
	dst = append(dst, v.typ.Name...)
	if !v.typ.Made {
		dst = append(dst, `","created":"`...)
		dst = appendTime(dst, rec.CreatedAt())
		dst = append(dst, `","lastModified":"`...)
		dst = appendTime(dst, rec.LastModified())
	}
	dst = append(dst, `","location":"`...)
	dst = v.appendLocation(dst, rec)
	dst = append(dst, `","version":"W/\"`...)
	var buf [64]byte
	tag := appendTag(buf[:0], rec)
	dst = append(dst, tag[3:len(tag)-1]...)
	return append(dst, `\""}`...)
}

func (v *view) appendLocation(dst []byte, rec *resources.Record) []byte {
	dst = append(dst, v.base...)
	dst = append(dst, v.typ.Endpoint...)
	dst = append(dst, '/')
	return append(dst, rec.ID...)
}

func appendText(dst []byte, name, text string) []byte {
	return jsontree.AppendString(append(dst, name...), text)
}

// memberChunk is how many members are read and written at a time.
const memberChunk = 1000

// appendMember writes one element of members, with the sub-attributes the
// projection leaves.
func (v *view) appendMember(dst []byte, m *resources.MemberRef) []byte {
	kind := "User"
	if k, ok := resources.KindOf(m.ID); ok && k == resources.KindGroup {
		kind = "Group"
	}
	p := v.only.member
	start := len(dst)
	if !p.noValue {
		dst = append(append(append(dst, `,"value":"`...), m.ID...), '"')
	}
	if !p.noRef {
		dst = append(append(dst, `,"$ref":"`...), v.base...)
		dst = append(append(append(dst, '/'), kind...), 's', '/')
		dst = append(append(dst, m.ID...), '"')
	}
	if !p.noType {
		dst = append(append(append(dst, `,"type":"`...), kind...), '"')
	}
	if p.display && m.Display != "" {
		dst = appendText(dst, `,"display":`, m.Display)
	}
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

// appendListHead opens a ListResponse.
func appendListHead(dst []byte, total, start, count int) []byte {
	dst = append(dst, `{"schemas":["`+listURN+`"],"totalResults":`...)
	dst = strconv.AppendInt(dst, int64(total), 10)
	dst = append(dst, `,"startIndex":`...)
	dst = strconv.AppendInt(dst, int64(start), 10)
	dst = append(dst, `,"itemsPerPage":`...)
	dst = strconv.AppendInt(dst, int64(count), 10)
	return append(dst, `,"Resources":[`...)
}

package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Index names one way to find records. Which records stand in an index, and
// under which value, is decided here; the store only keeps the entries.
type Index uint8

// The indexes. Codes and shapes are in indexTable.
const (
	NoIndex          Index = iota
	UserAll                // every user, by id: creation order
	UserName               // userName to the one user that has it
	UserNameOrder          // users by userName
	UserDisplayOrder       // users by displayName
	UserExternalID         // externalId to users
	UserEmail              // any e-mail value to users
	UserModified           // users by time of last change
	UserInactive           // users with active=false, by id
	GroupAll               // every group, by id
	GroupName              // displayName to the one group that has it
	GroupNameOrder         // groups by displayName
	GroupExternalID        // externalId to groups
	GroupModified          // groups by time of last change
	TokenAll               // every token of the organization, by id
	OrgAll                 // every organization, by id; only in PlatformOrg
	OrgSlug                // slug to organization; only in PlatformOrg
	UserKey                // unique declared attributes to the one user, see attrKey
	UserAttr               // users by declared attributes
	GroupKey               // unique declared attributes to the one group
	GroupAttr              // groups by declared attributes
	CustomAll              // every resource of a declared type, by id
	CustomOfType           // resources of declared types by the type's name
	CustomModified         // resources of declared types by time of last change
	CustomKey              // unique declared attributes to the one resource
	CustomAttr             // resources by declared attributes and externalId
	SettingAll             // every setting, by id
	SettingNoun            // settings by what they are
	SettingKey             // noun and unique key to the one setting
	SettingAttr            // settings by noun and attribute
)

// Shape is how an index is laid out, hence what it can answer.
type Shape uint8

// The shapes.
const (
	Unique Shape = iota + 1 // value to one id; a second holder is refused in the commit
	Equal                   // value to ids
	Text                    // ids ordered by value: order, prefix, contains, pages
	Time                    // ids ordered by a time in milliseconds: order, ranges, pages
	Member                  // a set of ids ordered by id
)

// indexTable gives each index its code, which is part of the key, and shape.
// Codes are stored: never change one.
var indexTable = [...]struct {
	kind  Kind
	code  string
	shape Shape
}{
	UserAll:          {KindUser, "uc", Member},
	UserName:         {KindUser, "un", Unique},
	UserNameOrder:    {KindUser, "uz", Text},
	UserDisplayOrder: {KindUser, "ud", Text},
	UserExternalID:   {KindUser, "ux", Equal},
	UserEmail:        {KindUser, "ue", Equal},
	UserModified:     {KindUser, "ul", Time},
	UserInactive:     {KindUser, "ui", Member},
	GroupAll:         {KindGroup, "gc", Member},
	GroupName:        {KindGroup, "gn", Unique},
	GroupNameOrder:   {KindGroup, "gz", Text},
	GroupExternalID:  {KindGroup, "gx", Equal},
	GroupModified:    {KindGroup, "gl", Time},
	TokenAll:         {KindToken, "tc", Member},
	OrgAll:           {KindOrg, "oc", Member},
	OrgSlug:          {KindOrg, "on", Unique},
	UserKey:          {KindUser, "uk", Unique},
	UserAttr:         {KindUser, "ut", Text},
	GroupKey:         {KindGroup, "gk", Unique},
	GroupAttr:        {KindGroup, "gt", Text},
	CustomAll:        {KindCustom, "rc", Member},
	CustomOfType:     {KindCustom, "rt", Text},
	CustomModified:   {KindCustom, "rl", Time},
	CustomKey:        {KindCustom, "rk", Unique},
	CustomAttr:       {KindCustom, "ra", Text},
	SettingAll:       {KindSetting, "sc", Member},
	SettingNoun:      {KindSetting, "st", Text},
	SettingKey:       {KindSetting, "sk", Unique},
	SettingAttr:      {KindSetting, "sa", Text},
}

// Indexes lists every index, for code that walks them all.
func Indexes() []Index {
	out := make([]Index, 0, len(indexTable)-1)
	for i := range indexTable {
		if i > 0 {
			out = append(out, Index(i))
		}
	}
	return out
}

// Kind is the kind of the records in the index.
func (i Index) Kind() Kind { return indexTable[i].kind }

// Code is the index's two letters inside keys.
func (i Index) Code() string { return indexTable[i].code }

// Shape is the index's layout.
func (i Index) Shape() Shape { return indexTable[i].shape }

// All returns the index that holds every record of a kind, in id order, which
// is also the default order of lists.
func All(k Kind) Index {
	switch k {
	case KindUser:
		return UserAll
	case KindGroup:
		return GroupAll
	case KindToken:
		return TokenAll
	case KindOrg:
		return OrgAll
	case KindCustom:
		return CustomAll
	case KindSetting:
		return SettingAll
	}
	return NoIndex
}

// Modified returns the index of a kind by time of last change, or NoIndex.
func Modified(k Kind) Index {
	switch k {
	case KindUser:
		return UserModified
	case KindGroup:
		return GroupModified
	case KindCustom:
		return CustomModified
	}
	return NoIndex
}

// maxKey bounds what one index entry may hold, in bytes; longer values are cut
// and get a hash, and whoever finds by them re-checks the record. It is eleven
// times MaxName, the most that NFKC and full case folding make of a text (of
// U+FDFA): names are never cut. It is baked into keys: never change it.
const maxKey = 11 * MaxName

// MaxName is how many bytes a userName, a displayName and other names that
// stand in ordered indexes may have. Doors refuse longer ones.
const MaxName = 400

// Key turns an attribute value into the form it is indexed under: folded as
// the attribute compares, without control characters, and at most
// maxKey bytes long.
func (i Index) Key(value string) string {
	switch i {
	case UserName, UserNameOrder:
		return FoldName(value).bounded()
	case UserEmail, UserDisplayOrder, GroupName, GroupNameOrder, OrgSlug:
		return FoldText(value).bounded()
	}
	return Folded(value).bounded()
}

// Folded is text in the form it is compared in.
type Folded string

// bounded gives the text as it stands in a key.
func (f Folded) bounded() string {
	s := string(f)
	if hasControl(s) {
		s = strings.Map(func(r rune) rune {
			if r < 0x20 {
				return ' '
			}
			return r
		}, s)
	}
	if len(s) <= maxKey {
		return s
	}
	sum := sha256.Sum256([]byte(f))
	return s[:maxKey] + "#" + hex.EncodeToString(sum[:8])
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 {
			return true
		}
	}
	return false
}

// Entry is one record's place in an index.
type Entry struct {
	Index Index
	Value string // for Unique, Equal and Text: the result of Index.Key
	Time  int64  // for Time: milliseconds
}

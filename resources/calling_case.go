package resources

// callingWish is what is asked for to call with, as the document says it
// (BR-198).
type callingWish struct {
	Location  string // id, externalId or name
	Number    string
	Extension string
	WorkPhone string    // phoneNumbers of type work, for organizations that take it as a wish (BR-199)
	Temporary *bool     // an administrator says whether the extension is only until there is a number (BR-193); nil: as it is
	said      [3]string // location, number and extension as written, by which users are found
}

// callingCase asks what a user gets to call with.
type callingCase struct {
	Caller Caller // whose act it is: organization, actor and request of events
	User   string // id
	Name   string // userName: numbers that are held for it are the user's
	Strict bool   // what cannot be refuses the act instead of becoming an issue; of acts that change what is asked for
	Wants  bool   // a calling product is held, or would be with what this gives
	Wish   callingWish
	Given  string // first name, last name and displayName (BR-065)
	Family string
	Shown  string
	Before *Calling // what the user has, or nil
	Now    int64    // milliseconds since 1970
}

// callingResult is the answer to a callingCase.
type callingResult struct {
	After  *Calling // what the user has once Apply was called
	Ready  bool     // a location, and a number or an extension, are there (BR-190)
	Issues []Issue
	Apply  func() error // asks the commit for numbers, extensions and places; nil when nothing changes
}

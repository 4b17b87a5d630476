package check

import "time"

// Status is how a check ended.
type Status string

// The three ends of a check.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Reason says why a check was skipped. The constants are all there are, but for
// names of attributes and profiles behind a prefix.
type Reason string

// The reasons for a skip.
const (
	NoBulk         Reason = "bulk is not announced"
	NoSort         Reason = "sort is not announced"
	NoETag         Reason = "etag is not announced"
	NoFilter       Reason = "filter is not announced"
	NoPatch        Reason = "patch is not announced"
	NoCursor       Reason = "cursor pagination is not announced"
	NoGroups       Reason = "the resource type Group is not announced"
	NoEnterprise   Reason = "the enterprise extension is not announced"
	NoCustom       Reason = "no schema beyond those of RFC 7643 is announced"
	NoEntitlements Reason = "no resource type of entitlements is announced"
	NoSuchKind     Reason = "no attribute of this kind is announced"
	NoSearch       Reason = "POST .search is not offered"
	NoRootQuery    Reason = "a query at the root is not offered"
	NoMe           Reason = "/Me is not offered"
	NoBulkLimit    Reason = "no limit of Bulk is announced that can be passed here"
	HasBulk        Reason = "bulk is announced"
	NoAttribute    Reason = "not announced in the schema: "   // followed by the attribute
	OtherProfile   Reason = "another profile was asked for: " // followed by those it is for
	NotSafe        Reason = "the token would stand in logs"
	OutOfTime      Reason = "the run was interrupted"
	NotCompatible  Reason = "the server refuses what this check builds on: " // followed by what
)

// Exchange is one request and its answer. The token stands in neither.
type Exchange struct {
	Method         string            `json:"method"`
	URL            string            `json:"url"`
	RequestHeader  map[string]string `json:"requestHeader,omitempty"` // those that matter to SCIM
	RequestBody    string            `json:"requestBody,omitempty"`   // at most 4 KiB
	Status         int               `json:"status"`                  // 0: no answer
	ResponseHeader map[string]string `json:"responseHeader,omitempty"`
	ResponseBody   string            `json:"responseBody,omitempty"` // at most 4 KiB
	Error          string            `json:"error,omitempty"`        // why there is no answer
}

// Result is what became of one check.
type Result struct {
	ID        string     `json:"id"`
	Title     string     `json:"title"`
	Sources   []string   `json:"sources"`
	Status    Status     `json:"status"`
	Reason    string     `json:"reason,omitempty"`    // of a failure or a skip
	Note      string     `json:"note,omitempty"`      // which of several permitted answers was seen
	Exchanges []Exchange `json:"exchanges,omitempty"` // the last ones before a failure, oldest first
	Millis    int64      `json:"millis"`
}

// Report is what became of a run.
type Report struct {
	URL       string    `json:"url"`
	Profile   string    `json:"profile"`
	Prefix    string    `json:"prefix"` // in the names of all that was made
	Started   time.Time `json:"started"`
	Millis    int64     `json:"millis"`
	Requests  int64     `json:"requests"`
	Waits     int64     `json:"waits"` // answers 429 that were waited for
	Passed    int       `json:"passed"`
	Failed    int       `json:"failed"`
	Skipped   int       `json:"skipped"`
	Leftovers []string  `json:"leftovers"` // addresses of what could not be deleted
	Results   []Result  `json:"results"`
}

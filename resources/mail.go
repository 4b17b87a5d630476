package resources

import "time"

// Mail is one message to one person, and what became of it (domain.md §2, Mail
// log). Mails are settings, found by "user" and "state", kept for 400 days. The
// commit that decides on a mail stores it and makes it due; a worker renders and
// sends it. Its id is that of the message, so that one that is sent twice after a
// fault is one message.
type Mail struct {
	ID       string       `json:"-"`
	Template MailTemplate `json:"template"`
	User     string       `json:"user,omitempty"` // id of who gets it
	To       string       `json:"to"`             // address
	Language string       `json:"language"`
	Trigger  MailTrigger  `json:"trigger"`
	Job      string       `json:"job,omitempty"`
	By       string       `json:"by,omitempty"` // token or user id of who asked
	State    MailState    `json:"state"`
	Created  time.Time    `json:"created"`
	Sent     time.Time    `json:"sent,omitzero"`
	Tries    int          `json:"tries,omitempty"`
	Answer   string       `json:"answer,omitempty"`  // of the mail server, the last one; of state cancelled: why
	Purpose  Purpose      `json:"purpose,omitempty"` // of the link it carries
	Number   int          `json:"number,omitempty"`  // of reminders: which one
	Data     MailData     `json:"data,omitzero"`     // what else it tells
}

// MailTemplate names what a mail says (domain.md §6.4).
type MailTemplate string

// The templates.
const (
	MailActivate     MailTemplate = "activate"       // E-01
	MailReminder     MailTemplate = "reminder"       // E-02
	MailAgain        MailTemplate = "again"          // E-03: a new link, asked for by the person
	MailReset        MailTemplate = "reset"          // E-03 for a password
	MailLicences     MailTemplate = "licences"       // E-15
	MailDigest       MailTemplate = "digest"         // E-16
	MailNewAddress   MailTemplate = "new-address"    // E-17 to the new address
	MailOldAddress   MailTemplate = "old-address"    // E-17 to the old one
	MailJobDone      MailTemplate = "job-done"       // E-18
	MailAccessChange MailTemplate = "access-changed" // password or sign-in changed (security H3)
)

// MailTrigger is why a mail was sent.
type MailTrigger string

// The triggers.
const (
	TriggerAuto     MailTrigger = "auto"
	TriggerManual   MailTrigger = "manual"
	TriggerBulk     MailTrigger = "bulk"
	TriggerReminder MailTrigger = "reminder"
	TriggerSelf     MailTrigger = "self" // the person asked
	TriggerSystem   MailTrigger = "system"
	TriggerExport   MailTrigger = "export" // the link was given to an administrator (BR-088)
)

// MailState is what became of a mail.
type MailState string

// The states of a mail.
const (
	MailQueued    MailState = "queued"
	MailSent      MailState = "sent"
	MailFailed    MailState = "failed"    // the server refused it for good (BR-262)
	MailCancelled MailState = "cancelled" // by the time it was to be sent there was no reason any more
	MailExported  MailState = "exported"
)

// MailData is what a mail tells beside its link. Which fields are used follows
// from the template.
type MailData struct {
	Lost    []string       `json:"lost,omitempty"` // names of products (E-15)
	Kept    []string       `json:"kept,omitempty"`
	Old     string         `json:"old,omitempty"` // addresses (E-17)
	New     string         `json:"new,omitempty"`
	Until   time.Time      `json:"until,omitzero"`
	Job     *MailJob       `json:"job,omitempty"`     // E-18
	Issues  map[string]int `json:"issues,omitempty"`  // E-16: code of an issue → users
	Alerts  int            `json:"alerts,omitempty"`  // E-16: open alerts
	Changed string         `json:"changed,omitempty"` // access-changed: password, link
}

// MailJob is a job that ended (E-18).
type MailJob struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	State  string `json:"state"`
	Done   int    `json:"done"`
	Failed int    `json:"failed"`
}

// Letter is everything that rendering a mail needs; it holds the clear link and
// code and is never stored.
type Letter struct {
	Mail
	Name     string    // displayName of who gets it
	Org      string    // name of the organization
	Slug     string    // of the organization
	Path     string    // of the link, from the server's root: /activate?t=…
	Code     string    // six digits, or ""
	Expires  time.Time // of link and code
	SSO      bool      // the person signs in at the company's provider (BR-089)
	Proven   bool      // the address needs no confirmation: its domain is verified
	Calls    bool      // the person has a calling product
	TimeZone string    // IANA, of dates; "" is UTC

	Settings Settings // of the organization: addresses of site, download, help
}

// SendFault is what went wrong with sending.
type SendFault struct {
	Permanent bool   // trying again changes nothing (SMTP 5xx)
	Answer    string // of the server, at most 300 bytes, no secrets
	Err       error
}

// Error gives the answer.
func (f *SendFault) Error() string { return "send a mail: " + f.Answer }

// Unwrap gives the cause.
func (f *SendFault) Unwrap() error { return f.Err }

// Package sso is the people's door: the pages on which somebody activates an
// account, signs in, and looks after it (domain.md §6.2, W-01 to W-05, W-12,
// W-13), and the endpoints by which an organization's OpenID provider and its
// reverse proxies take part.
//
// A request passes through these files: door.go routes it and sets what every
// answer has; guard.go lets only forms of these pages change anything (security
// X3) and reads them within bounds; a page's handler asks the Directory, which
// decides; view.go renders the page in the language of who reads it. What the
// Directory refuses becomes a status and a page in verdict.go, the one place
// where that is done.
//
// The token of a link leaves the address at once: it goes into a cookie, and the
// page is opened again without it. GET and HEAD never use a link up (BR-109,
// security I2). Links that are unknown, used or too old have one answer (security
// I4), and forms that take an address answer the same whoever it belongs to.
//
// Pages need no script. One of usher's own shows which criteria a password meets
// while it is typed; htmx takes a session off the list without loading the page
// again. Nothing is loaded from elsewhere, and forms lead only to usher: who goes
// on to a provider or an application gets a page that goes there by itself
// (leave), so that the policy of every page can refuse all other targets of forms.
package sso

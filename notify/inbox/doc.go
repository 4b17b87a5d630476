// Package inbox keeps mails where no mail server is configured: a mail server that
// delivers to nobody, and a page that shows what it took.
//
// Mails come in over SMTP, the way they go out elsewhere (sink.go), so that
// whoever tries usher tries all of it. The last 500 stay in memory, read by
// parse.go; Handler (handler.go) shows them to people and, as JSON, to scripts.
//
// Mails hold links that let people in. So both listeners belong on loopback, the
// handler answers to names of this machine only (a page elsewhere cannot have its
// own name lead here), and what a mail's HTML may do is nothing: it is shown in a
// frame without scripts, forms or anything from elsewhere.
package inbox

// Package notify writes to people: it turns letters of the domain into mails and
// gives them to a mail server.
//
// A letter ([resources.Letter]) says who gets what and why. Send puts it into
// words (letter.go: one function for each template, texts in English and French
// under texts/), lays the words out twice, as HTML and as plain text (render.go,
// templates/), makes a message of both (message.go) and hands it over by SMTP
// (deliver.go). What the server answered decides whether the caller tries again:
// only what is wrong with the message or its recipient is final, whatever is
// wrong with the server or the settings is not, so that nothing is lost while
// somebody mends it.
//
// Three rules keep mails from being used against people (security X5). Names and
// addresses that others chose are text, never part of a link, and of a header the
// organization's name alone, cut short and without control characters. Links go
// to usher itself. Nothing is loaded from anywhere.
//
// The same letter makes the same message, but for its date: one that is sent twice
// after a fault carries the same Message-ID, which is the id of the mail.
//
// notify/inbox takes mails in where no mail server is configured.
package notify

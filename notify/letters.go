package notify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/messages"
	"github.com/usher-scim/usher/resources"
)

// activate is E-01, with the variants for who signs in at the company's provider
// and for addresses that need no confirmation (BR-083, BR-089, BR-100).
func (w *writer) activate() {
	w.head("activate")
	w.add(w.say("activate.ready"))
	w.way()
}

// reminder is E-02.
func (w *writer) reminder() {
	w.head("reminder")
	w.add(w.say("reminder.waiting"))
	w.way()
	w.note("replaces")
}

// way is how to activate, and what there is once that is done.
func (w *writer) way() {
	label := "button.activate"
	switch {
	case w.SSO:
		w.add(w.say("activate.sso"))
		label = "button.sso"
	case w.Proven:
		w.add(w.say("activate.proven"))
	default:
		w.add(w.say("activate.password"))
	}
	w.button(label)
	w.code()
	w.fact("address", w.To)
	w.fact("site", shownURL(w.Settings.SiteURL))
	w.fact("download", shownURL(w.Settings.DownloadURL))
	w.fact("webapp", shownURL(w.Settings.WebAppURL))
	w.fact("resources", shownURL(w.Settings.ResourcesURL))
	if place := shownURL(w.Settings.VoicemailURL); place != "" && w.Calls {
		w.fact("voicemail", place)
		w.note("activate.calls")
	}
	w.note("notyou")
}

// again is E-03: a new link that the person has asked for.
func (w *writer) again() {
	w.head("again")
	label := "button.activate"
	switch {
	case w.Purpose == resources.PurposeVerify:
		w.add(w.say("again.verify"))
		label = "button.confirm"
	case w.SSO:
		w.add(w.say("again.activate"))
		label = "button.sso"
	default:
		w.add(w.say("again.activate"))
	}
	w.button(label)
	w.code()
	w.fact("address", w.To)
	w.note("replaces")
	w.note("notyou")
}

// reset is E-03 for a password.
func (w *writer) reset() {
	w.head("reset")
	w.add(w.say("reset.asked"))
	w.button("button.reset")
	w.code()
	w.fact("address", w.To)
	w.note("reset.notyou")
}

// licences is E-15 (BR-166).
func (w *writer) licences() {
	w.head("licences")
	w.add(w.say("licences.changed"))
	w.list(w.say("licences.lost"), shownNames(w.Data.Lost))
	w.list(w.say("licences.kept"), shownNames(w.Data.Kept))
	w.button("button.open")
	w.note("licences.mistake")
}

// digest is E-16: the issues of all users, most frequent first, and open alerts.
func (w *writer) digest() {
	w.head("digest")
	w.add(w.say("digest.intro"))
	codes := slices.SortedFunc(maps.Keys(w.Data.Issues), func(a, b string) int {
		if d := w.Data.Issues[b] - w.Data.Issues[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var lines []string
	for _, code := range codes {
		what := strings.ReplaceAll(strings.TrimSuffix(messages.Title(w.Lang, code), "."), "'", "’")
		if what == "" {
			what = shownName(code)
		}
		lines = append(lines, w.count("digest.issue", w.Data.Issues[code], "What", what))
	}
	w.list(w.say("digest.issues"), lines)
	if w.Data.Alerts > 0 {
		w.add(w.count("digest.alerts", w.Data.Alerts))
	}
	w.button("button.open")
	w.note("digest.daily")
}

// newAddress is E-17 to the address that is to be confirmed (BR-005).
func (w *writer) newAddress() {
	w.head("newaddress")
	w.add(w.say("newaddress.change", "Old", shownAddress(w.Data.Old), "New", shownAddress(w.Data.New)))
	if w.Path != "" {
		w.add(w.say("newaddress.confirm"))
	}
	w.button("button.confirm")
	w.code()
	if w.Data.Until.IsZero() { // the directory has changed it, for good
		w.note("newaddress.stays")
		return
	}
	w.deadline("newaddress.until")
	w.note("newaddress.notyou")
}

// oldAddress is E-17 to the address that was (BR-005, security H3).
func (w *writer) oldAddress() {
	w.head("oldaddress")
	w.add(w.say("oldaddress.change", "Old", shownAddress(w.Data.Old), "New", shownAddress(w.Data.New)))
	w.deadline("oldaddress.until")
	w.button("button.keep")
	w.note("oldaddress.notyou")
}

// deadline says until when an address can be confirmed.
func (w *writer) deadline(key string) {
	if !w.Data.Until.IsZero() {
		w.add(w.say(key, "When", w.words.DateTime(w.Data.Until, w.TimeZone)))
	}
}

// jobDone is E-18 (BR-264).
func (w *writer) jobDone() {
	job := w.Data.Job
	if job == nil {
		w.noted("", fmt.Errorf("the mail %s tells of no job", w.ID))
		return
	}
	w.head("job")
	key := "job." + job.State
	if job.State == string(resources.JobDone) && job.Failed > 0 {
		key = "job.faults"
	}
	if !w.words.Has(key) {
		key = "job.ended"
	}
	w.add(w.say(key))
	kind := shownName(job.Type)
	if w.words.Has("job.type." + job.Type) {
		kind = w.say("job.type." + job.Type)
	}
	w.fact("job", kind)
	w.fact("done", fmt.Sprint(job.Done))
	if job.Failed > 0 {
		w.fact("failed", fmt.Sprint(job.Failed))
	}
	w.fact("id", shownName(job.ID))
	w.button("button.open")
}

// accessChanged tells that somebody can come in another way than before (security
// H3).
func (w *writer) accessChanged() {
	w.head("access")
	key := "access." + w.Data.Changed
	if !w.words.Has(key) {
		key = "access.other"
	}
	w.add(w.say(key, "When", w.words.DateTime(w.Created, w.TimeZone)))
	w.fact("address", w.To)
	w.button("button.reset")
	w.note("access.you")
	w.note("access.notyou")
}

// try says that mails arrive.
func (w *writer) try() {
	w.head("try")
	w.add(w.say("try.works"))
	w.fact("public", w.root)
}

func shownNames(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if n = shownName(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ready is the content of the ready file. Tokens are there only when this
// start made them: nothing but their hashes is kept.
type ready struct {
	Listen     string `json:"listen"`
	PublicURL  string `json:"public_url"`
	Org        string `json:"org,omitempty"`
	SCIMURL    string `json:"scim_url,omitempty"`
	SCIMToken  string `json:"scim_token,omitempty"`
	APIURL     string `json:"api_url"`
	APIToken   string `json:"api_token,omitempty"`
	ConsoleURL string `json:"console_url,omitempty"`
	MetricsURL string `json:"metrics_url,omitempty"`
	InboxURL   string `json:"inbox_url,omitempty"`
}

func (s *service) ready() ready {
	r := ready{Listen: s.main.Addr().String(), PublicURL: s.publicURL, Org: s.org, APIURL: s.publicURL + "/api/v1"}
	if s.org != "" {
		r.SCIMURL = s.publicURL + "/orgs/" + s.org + "/scim/v2"
	}
	if s.created != nil {
		r.SCIMToken = s.created.SCIMToken
	}
	r.APIToken = s.apiToken
	if s.side != nil {
		r.MetricsURL = listenURL(s.cfg.Metrics.Listen, s.side.Addr(), false) + "/metrics"
	}
	if s.mails.page != nil {
		r.InboxURL = listenURL(s.cfg.Inbox.Listen, s.mails.page.Addr(), false)
	}
	return r
}

// announce tells people and scripts that the server is there. The ready file
// comes last: who waits for it finds everything else told.
func (s *service) announce(ctx context.Context) error {
	r := s.ready()
	if _, err := fmt.Fprint(s.out, s.banner(r)); err != nil {
		s.log.WarnContext(ctx, "banner not printed", "err", err)
	}
	s.log.InfoContext(ctx, "ready", "listen", r.Listen, "public_url", r.PublicURL, "metrics_url", r.MetricsURL, "embedded", s.store.Embedded())
	if s.cfg.ReadyFile != "" {
		if err := writeReady(s.cfg.ReadyFile, r); err != nil {
			return &failure{exit: exitConfig, what: "cannot write the ready file", why: err, todo: "choose a path in a directory that usher may write to"}
		}
	}
	return nil
}

// writeReady replaces the file in one step, so that nobody reads half of it.
func writeReady(path string, r ready) (err error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ready-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(append(text, '\n')); err != nil {
		return errors.Join(err, f.Close())
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// shownPath is a directory as people can find it from elsewhere, too.
func shownPath(dir string) string {
	if path, err := filepath.Abs(dir); err == nil {
		return path
	}
	return dir
}

// banner is what a person sees first.
func (s *service) banner(r ready) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-11s "+format+"\n", append([]any{name}, args...)...)
	}
	fmt.Fprintf(&b, "usher %s is ready.\n\n", thisBuild().Version)
	if r.SCIMURL != "" {
		line("SCIM URL", "%s", r.SCIMURL)
	}
	if r.SCIMToken != "" {
		line("SCIM token", "%s", r.SCIMToken)
	}
	line("API URL", "%s", r.APIURL)
	if r.APIToken == "" {
		line("API token", "none is issued by this start; for a new one: usher serve --issue-api-token")
	}
	if r.APIToken != "" {
		line("API token", "%s", r.APIToken)
		if !s.inMemory() {
			line("", "It lives for an hour; issue your own: usher token create platform --name NAME")
		}
	}
	if r.MetricsURL != "" {
		line("Metrics", "%s", r.MetricsURL)
	}
	switch {
	case r.InboxURL != "":
		line("Mails", "%s", r.InboxURL)
		line("", "They stay there, in memory, and reach NOBODY; set smtp.url to have them delivered.")
	case s.mails.mailer == nil:
		line("Mails", "wait: neither smtp.url nor inbox.listen is set")
	}
	switch {
	case s.inMemory():
		line("State", "in the memory of this process: NOTHING is durable, all of it is lost when usher")
		line("", "stops. Good for a first look and up to 20 000 users; set data_dir or redis.url to keep it.")
	case s.store.Embedded():
		line("State", "in %s, every write on disk before it is answered", shownPath(s.cfg.DataDir))
		line("", "For one usher process and up to 20 000 users; for more set redis.url.")
	default:
		line("State", "in Redis, as durable as Redis is configured to be")
	}
	if s.created != nil {
		line("", "Tokens are shown this once; only hashes of them are kept.")
		fmt.Fprintf(&b, "\nNext:\n  curl -H 'Authorization: Bearer %s' \\\n    %s/Users\n", r.SCIMToken, r.SCIMURL)
	} else if r.SCIMURL == "" {
		line("", "There is no organization yet; make one with: usher org create")
	}
	b.WriteString("\n")
	return b.String()
}

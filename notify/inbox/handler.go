package inbox

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/config"
)

//go:embed pages/list.html pages/message.html pages/frame.html pages/style.css
var files embed.FS

// pages are the templates and the style sheet.
type pages struct {
	list, message *template.Template
	style         []byte
}

func parsePages() (*pages, error) {
	p := &pages{}
	var err error
	if p.list, err = template.ParseFS(files, "pages/frame.html", "pages/list.html"); err == nil {
		p.message, err = template.ParseFS(files, "pages/frame.html", "pages/message.html")
	}
	if err == nil {
		p.style, err = files.ReadFile("pages/style.css")
	}
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	return p, nil
}

// What pages may do, and what the HTML of a mail may do: open its links in a
// window of their own, nothing else.
const (
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)

// Handler shows the mails: pages for people below /, JSON for scripts at /messages
// and /messages/{id}. It answers to names of this machine only.
func (b *Inbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.showList)
	mux.HandleFunc("GET /mail/{id}", b.one(b.showMessage))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) { b.write(w, "text/css; charset=utf-8", b.page.style) })
	mux.HandleFunc("GET /messages", b.jsonList)
	mux.HandleFunc("DELETE /messages", func(w http.ResponseWriter, _ *http.Request) {
		b.clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /messages/{id}", b.one(b.jsonMessage))
	mux.HandleFunc("GET /messages/{id}/html", b.one(func(w http.ResponseWriter, _ *http.Request, m *message) {
		w.Header().Set("Content-Security-Policy", mailPolicy)
		b.write(w, "text/html; charset=utf-8", []byte(m.html))
	}))
	mux.HandleFunc("GET /messages/{id}/source", b.one(func(w http.ResponseWriter, _ *http.Request, m *message) {
		b.write(w, "text/plain; charset=utf-8", []byte(m.source))
	}))
	return http.NewCrossOriginProtection().Handler(guard(mux))
}

// guard sets what holds for every answer, and refuses requests to other names.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !ownName(r.Host) {
			http.Error(w, "The inbox answers to 127.0.0.1 and localhost only.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ownName reports whether a Host header names this machine by its loopback
// address: no other page can have such a name.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return config.IsLoopback(strings.Trim(host, "[]"))
}

// one finds the message of a request.
func (b *Inbox) one(show func(http.ResponseWriter, *http.Request, *message)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		m := b.find(id)
		if err != nil || m == nil {
			http.Error(w, "There is no such message, or it is not kept any more: the last "+strconv.Itoa(maxKept)+" are.", http.StatusNotFound)
			return
		}
		show(w, r, m)
	}
}

func (b *Inbox) showList(w http.ResponseWriter, _ *http.Request) {
	b.render(w, b.page.list, map[string]any{"Title": "Mails", "Messages": b.list(), "Limit": maxKept})
}

func (b *Inbox) showMessage(w http.ResponseWriter, r *http.Request, m *message) {
	view := r.URL.Query().Get("view")
	if !slices.Contains([]string{"html", "text", "source"}, view) {
		view = "html"
	}
	if view == "html" && m.html == "" {
		view = "text"
	}
	b.render(w, b.page.message, map[string]any{
		"Title": m.Subject, "M": m, "View": view, "Text": m.text, "Source": m.source, "Fault": m.fault, "HasHTML": m.html != "",
	})
}

func (b *Inbox) render(w http.ResponseWriter, t *template.Template, data any) {
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "frame.html", data); err != nil {
		b.cfg.Log.Error("a page of the inbox cannot be shown", "err", err)
		http.Error(w, "The page cannot be shown; see the log.", http.StatusInternalServerError)
		return
	}
	b.write(w, "text/html; charset=utf-8", out.Bytes())
}

// full is one message in JSON.
type full struct {
	*message
	Headers []header `json:"headers"`
	Text    string   `json:"text"`
	HTML    string   `json:"html"`
	Links   []string `json:"links"` // addresses in the text, in their order
	Fault   string   `json:"fault,omitempty"`
}

func (b *Inbox) jsonList(w http.ResponseWriter, r *http.Request) {
	found := b.list()
	if to := r.URL.Query().Get("to"); to != "" {
		found = slices.DeleteFunc(found, func(m *message) bool {
			return !slices.ContainsFunc(m.To, func(a string) bool { return strings.EqualFold(a, to) })
		})
	}
	b.json(w, map[string]any{"messages": found})
}

func (b *Inbox) jsonMessage(w http.ResponseWriter, _ *http.Request, m *message) {
	b.json(w, full{m, m.headers, m.text, m.html, append([]string{}, m.links...), m.fault})
}

func (b *Inbox) json(w http.ResponseWriter, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // scripts read it; no browser takes it for HTML
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		http.Error(w, "The answer cannot be written: "+err.Error(), http.StatusInternalServerError)
		return
	}
	b.write(w, "application/json", body.Bytes())
}

// write sends an answer. Who does not take it has gone.
func (b *Inbox) write(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	if _, err := w.Write(body); err != nil {
		b.cfg.Log.Debug("an answer of the inbox was not taken", "err", err)
	}
}

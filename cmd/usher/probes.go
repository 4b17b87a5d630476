package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// readyTime is how long the store may take to answer a readiness probe.
const readyTime = time.Second

func isProbe(path string) bool { return path == "/healthz" || path == "/readyz" }

// addProbes serves what needs no credential, on both listeners.
func (s *service) addProbes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "application/json", map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", s.readyz)
	version := thisBuild()
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "application/json", version)
	})
}

// readiness is the answer to a readiness probe.
type readiness struct {
	Status string `json:"status"` // ready or not ready
	Reason string `json:"reason,omitempty"`
}

// readyz tells whether requests should be sent here: the store answers and takes
// writes, and the server is not on its way out.
func (s *service) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		answer(w, http.StatusServiceUnavailable, "application/json", readiness{"not ready", "draining"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := s.directory.Ready(ctx); err != nil {
		s.log.WarnContext(r.Context(), "not ready", "err", err)
		answer(w, http.StatusServiceUnavailable, "application/json", readiness{"not ready", "the store does not answer"})
		return
	}
	if err := s.store.Writable(); err != nil {
		s.log.WarnContext(r.Context(), "not ready", "err", err)
		answer(w, http.StatusServiceUnavailable, "application/json", readiness{"not ready", "the data directory cannot be written"})
		return
	}
	answer(w, http.StatusOK, "application/json", readiness{Status: "ready"})
}

// nothing answers every address that no door has.
func (s *service) nothing(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		problem(w, http.StatusNotFound, "not_found", "There is nothing at this path.")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "usher: SCIM under /orgs/{org}/scim/v2, REST under /api/v1, described at /api/openapi.json") // an error means that the client has gone
}

// problem answers with an RFC 9457 problem.
func problem(w http.ResponseWriter, status int, code, detail string) {
	answer(w, status, "application/problem+json", struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, code, detail})
}

func answer(w http.ResponseWriter, status int, contentType string, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"status":"error"}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // an error means that the client has gone
}

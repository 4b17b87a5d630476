package bench

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/oauth"
)

// oauth measures the token endpoint, and reading with an access token against
// reading with a provisioning token. Every connection is a client of its own.
func (m *meter) oauth(ctx context.Context) error {
	var asked atomic.Int64
	door, err := oauth.New(oauth.Config{
		Directory: m.dir, PublicURL: "http://usher.example", Log: slog.New(slog.DiscardHandler), Now: time.Now,
		// The limit of a client is for each sender: it must not be what is measured.
		Sender: func(*http.Request) string { return strconv.FormatInt(asked.Add(1), 10) },
	})
	if err != nil {
		return err
	}
	addr, err := m.serve(ctx, door)
	if err != nil {
		return err
	}
	operator := m.operator()
	const body = "grant_type=client_credentials"
	requests := make([]string, min(m.Conns, 50))
	for i := range requests {
		cl, secret, err := m.dir.CreateClient(ctx, operator, m.caller.Slug, resources.ClientSpec{Method: resources.MethodSecret, Profile: resources.ProfileEntra})
		if err != nil {
			return err
		}
		requests[i] = "POST /orgs/" + m.caller.Slug + oauth.TokenPath + " HTTP/1.1\r\nHost: usher.example\r\nAuthorization: Basic " +
			base64.StdEncoding.EncodeToString([]byte(cl.ID+":"+secret.Text)) +
			"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	tokens := load{name: "token", addr: addr, want: 200, request: func(buf []byte, w, _ int) []byte {
		return append(buf, requests[w%len(requests)]...)
	}}
	if err := m.compare(ctx, Row{Work: "token endpoint, client_secret_basic ÷ POST /Users", Gate: 0.2, Goal: 0.3}, tokens, m.create()); err != nil {
		return err
	}
	// The clients have asked for more than they may have at once; this one is new.
	cl, secret, err := m.dir.CreateClient(ctx, operator, m.caller.Slug, resources.ClientSpec{Method: resources.MethodSecret, Profile: resources.ProfileEntra})
	if err != nil {
		return err
	}
	_, access, err := m.dir.ClientToken(ctx, resources.Grant{Org: m.caller.Slug, Client: cl.ID, Secret: secret.Text})
	if err != nil {
		return err
	}
	from := m.Users - m.free
	get := m.getOf(&data{token: access, prefix: m.prefix}, "get by access token", func(buf []byte, w, i int) []byte {
		return append(append(buf, "/Users/"...), m.users[from+pick(w, i, m.free)]...)
	})
	return m.compare(ctx, Row{Work: "GET with an access token ÷ with a provisioning token", Gate: 0.85, Goal: 1}, get, m.getUser(from, m.free))
}

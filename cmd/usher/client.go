package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/internal/config"
)

const (
	defaultAPI  = "http://127.0.0.1:8080"
	callTime    = 30 * time.Second
	answerLimit = 16 << 20 // bytes of an answer
)

// apiFlags say where the REST API is and where its token lies. The token
// itself never stands on a command line, where others could read it.
type apiFlags struct {
	url, tokenFile, readyFile string
}

func addAPIFlags(cmd *cobra.Command, to *apiFlags) {
	f := cmd.PersistentFlags()
	f.StringVar(&to.url, "api-url", "", "address of the server (default USHER_API_URL, else "+defaultAPI+")")
	f.StringVar(&to.tokenFile, "api-token-file", "", "file with the API token (default USHER_API_TOKEN_FILE or USHER_API_TOKEN)")
	f.StringVar(&to.readyFile, "ready-file", "", "ready file of a server, to read address and API token from")
}

// client speaks to the REST API.
type client struct {
	base  string // without /api/v1 and without a slash at the end
	token config.Secret
	http  *http.Client
}

// connect finds address and token: flags before the ready file before the
// environment before the default.
func (p *program) connect(f *apiFlags) (*client, error) {
	address, token := f.url, config.Secret("")
	if f.readyFile != "" {
		r, err := readReady(f.readyFile)
		if err != nil {
			return nil, err
		}
		if address == "" {
			address = r.APIURL
		}
		token = config.Secret(r.APIToken)
	}
	secret, err := p.apiToken(f)
	if err != nil {
		return nil, err
	}
	if f.tokenFile != "" || token == "" {
		token = secret
	}
	if address == "" {
		address = p.env[config.Prefix+"API_URL"]
	}
	if address == "" {
		address = defaultAPI
	}
	if token == "" {
		return nil, &failure{
			exit: exitForbidden, what: "no API token", why: errors.New("the server wants one"),
			todo: "name a file with --api-token-file or --ready-file, or set USHER_API_TOKEN",
		}
	}
	base, err := apiBase(address)
	if err != nil {
		return nil, err
	}
	return &client{base: base, token: token, http: &http.Client{
		Timeout:   callTime,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		// A redirect could take the token somewhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (p *program) apiToken(f *apiFlags) (config.Secret, error) {
	file := f.tokenFile
	if file == "" {
		file = p.env[config.Prefix+"API_TOKEN_FILE"]
	}
	if file == "" {
		return config.Secret(strings.TrimSpace(p.env[config.Prefix+"API_TOKEN"])), nil
	}
	token, err := config.ReadSecretFile(file)
	if err != nil {
		return "", &failure{exit: exitConfig, what: "cannot read the API token", why: err, todo: "check the path and its permissions"}
	}
	return token, nil
}

func apiBase(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return "", &failure{exit: exitUsage, why: fmt.Errorf("%q is not the address of a server", address), todo: "give a URL such as " + defaultAPI}
	}
	if u.Scheme == "http" && !config.IsLoopback(u.Hostname()) {
		return "", &failure{exit: exitUsage, why: errors.New("the API token would travel in the clear to " + u.Host), todo: "use its https address"}
	}
	return strings.TrimSuffix(strings.TrimRight(address, "/"), "/api/v1"), nil
}

// refusal is an RFC 9457 problem as the server sends it.
type refusal struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
}

// call does one request with JSON. what names it in errors; in and out may be
// nil.
func (c *client) call(ctx context.Context, what, method, path string, in, out any) error {
	if in == nil {
		return c.send(ctx, what, method, path, "", nil, out)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.send(ctx, what, method, path, "application/json", bytes.NewReader(body), out)
}

// send does one request with a body of any media type and reads the answer,
// JSON or nothing.
func (c *client) send(ctx context.Context, what, method, path, media string, body io.Reader, out any) error {
	resp, err := c.open(ctx, what, method, path, media, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read by then
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return &failure{exit: exitUnavailable, what: what, why: fmt.Errorf("read answer: %w", err), request: resp.Header.Get("X-Request-Id")}
	}
	if raw, ok := out.(*json.RawMessage); ok && len(text) == 0 {
		*raw = nil
		return nil
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return &failure{exit: exitFailure, what: what, why: errors.New("the answer is not what usher sends"), todo: "check --api-url", request: resp.Header.Get("X-Request-Id")}
	}
	return nil
}

// open does one request and gives the answer, unless it is an error.
func (c *client) open(ctx context.Context, what, method, path, media string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+string(c.token))
	req.Header.Set("User-Agent", agent())
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &failure{exit: exitUnavailable, what: what, why: err, todo: "see that usher runs there, or give its address with --api-url"}
	}
	if resp.StatusCode < http.StatusMultipleChoices {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }() // the error tells all there is
	text, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return nil, &failure{exit: exitUnavailable, what: what, why: fmt.Errorf("read answer: %w", err), request: resp.Header.Get("X-Request-Id")}
	}
	return nil, refused(what, resp, text)
}

// refused turns an answer with an error into a failure.
func refused(what string, resp *http.Response, text []byte) error {
	f := &failure{exit: exitOf(resp.StatusCode), what: what, request: resp.Header.Get("X-Request-Id")}
	var r refusal
	if err := json.Unmarshal(text, &r); err != nil || r.Code == "" {
		f.why, f.todo = fmt.Errorf("the server answers %s", resp.Status), "check --api-url"
		return f
	}
	if r.Field != "" && !strings.Contains(r.Detail, r.Field) {
		r.Detail = r.Field + ": " + r.Detail
	}
	f.why = errors.New(plain(strings.TrimSuffix(r.Detail, ".")))
	return f
}

func exitOf(status int) int {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusPreconditionRequired:
		return exitUsage
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitForbidden
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return exitConflict
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitUnavailable
	}
	return exitFailure
}

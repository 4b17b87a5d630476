package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ask sends one request to usher and reads its answer; anything but success is an
// error. It tells how long that took.
func (s *site) ask(ctx context.Context, prefix, token, method, path, body string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.usherAddr+prefix+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/scim+json")
	start := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end below
	if resp.StatusCode >= http.StatusMultipleChoices {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return 0, errors.Join(fmt.Errorf("bench: %s %s: %s: %s", method, path, resp.Status, text), err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return time.Since(start), err
}

package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// finding is a difference that fsck has found.
type finding struct {
	Slug, Code, Key, Reason, Remedy string
	Repairable, Repaired            bool
}

func (f finding) text() string { return strings.Join([]string{f.Slug, f.Code, f.Key, f.Reason}, "  ") }

// fsck runs the command over the store of the site. It bypasses the proxies'
// weather only in that it comes when they are well again.
func (r *run) fsck(ctx context.Context, flags ...string) ([]finding, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, usher(r.t), append([]string{"fsck", "--deep", "--pace", "full", "--output", "json"}, flags...)...)
	cmd.Env = append(os.Environ(), "USHER_REDIS_URL="+r.site.store.url, "USHER_LOG_LEVEL=error")
	began := time.Now()
	var said, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	err := cmd.Run()
	if code, exited := errors.AsType[*exec.ExitError](err); err != nil && (!exited || code.ExitCode() != 1) {
		return nil, fmt.Errorf("fsck: %w\n%s", err, complaint.Bytes())
	}
	if d := time.Since(began); d > 5*time.Second {
		r.told("fsck took %s", d.Round(time.Second))
	}
	var out struct{ Findings []finding }
	if bad := json.Unmarshal(said.Bytes(), &out); bad != nil {
		return nil, fmt.Errorf("fsck ends with %w and says what cannot be read: %w\n%s", err, bad, said.Bytes())
	}
	if (err != nil) != (len(out.Findings) > 0) && len(flags) == 0 {
		return nil, fmt.Errorf("fsck ends with %w and has %d findings", err, len(out.Findings))
	}
	return out.Findings, nil
}

// clean demands that every index, link, claim, pool and stream agrees with the
// records.
func (r *run) clean(ctx context.Context) {
	found, err := r.fsck(ctx)
	if err != nil {
		r.violation("%v", err)
	}
	for _, f := range found {
		r.violation("fsck: %s", f.text())
	}
}

package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// platformTag is in every key of the operators' own organization.
const platformTag = "{" + string(resources.PlatformOrg) + "}"

// torn: Redis is killed and the end of its append-only file is gone, as after a
// power cut. What is lost is the end of everything, never a part of a write.
func torn() *scenario {
	return &scenario{
		name: "F20", title: "the end of the append-only file is cut off",
		site: func(t testing.TB) *site { return withNodes(t, single(t, durable...), usher(t), 2) },
		strike: func(_ context.Context, r *run, _ *load) error {
			redis := r.site.store.redis()
			time.Sleep(500 * time.Millisecond)
			redis.Kill()
			cut := int64(r.dice.rand().IntN(20_000))
			if err := shorten(redis.Dir, cut); err != nil {
				return err
			}
			r.told("%d bytes", cut)
			if err := redis.Restart(); err != nil {
				return err
			}
			time.Sleep(500 * time.Millisecond)
			return renewed(r, redis)
		},
		limits: limits{lost: true},
	}
}

// renewed waits until usher has had a server that was started anew write its
// append-only file anew: before that its next start may execute a part of a write.
func renewed(r *run, redis *redistest.Server) error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		info, err := redis.Do(r.t.Context(), "INFO", "persistence")
		if err != nil {
			return err
		}
		text := fmt.Sprint(info)
		if strings.Contains(text, "aof_rewrite_in_progress:0") && !strings.Contains(text, "aof_last_rewrite_time_sec:-1") {
			return nil
		}
	}
	return errors.New("the append-only file is not written anew ten seconds after the server has started")
}

// appendOnly is the file a server of durable appends to.
func appendOnly(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("append-only files in %s: %v, %w", dir, files, err)
	}
	return files[0], nil
}

// shorten cuts bytes off the end of the append-only file.
func shorten(dir string, bytes int64) error {
	name, err := appendOnly(dir)
	if err != nil {
		return err
	}
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.Truncate(name, max(0, st.Size()-bytes))
}

// flipped: one bit of the append-only file is wrong. Redis either refuses the
// file, and its own tool cuts it off there, or it cannot see the damage: then
// fsck is what tells.
func flipped() *scenario {
	return &scenario{
		name: "F20b", title: "one bit of the append-only file is wrong",
		site: func(t testing.TB) *site { return withNodes(t, single(t, durable...), usher(t), 1) },
		strike: func(ctx context.Context, r *run, l *load) error {
			if err := r.playFor(ctx, l, time.Second); err != nil {
				return err
			}
			redis := r.site.store.redis()
			redis.Kill()
			if err := flip(redis.Dir, r.dice.rand()); err != nil {
				return err
			}
			if refusal := redis.Restart(); refusal != nil {
				r.told("Redis refuses the file")
				if err := mend(redis.Dir, refusal); err != nil {
					return err
				}
				if err := redis.Restart(); err != nil {
					return err
				}
			}
			return r.mendStore(ctx)
		},
		alone: true, once: true, damaged: true, limits: limits{lost: true},
	}
}

// mendStore has fsck repair what it can and looks what is left.
func (r *run) mendStore(ctx context.Context) error {
	found, err := r.fsck(ctx)
	if err != nil {
		return err
	}
	repairable := 0
	for _, f := range found {
		if f.Key == "" || f.Reason == "" || !f.Repairable && f.Remedy == "" {
			r.violation("F20: a finding does not say what, why or what to do: %+v", f)
		}
		if f.Repairable {
			repairable++
		}
	}
	if len(found) == 0 {
		return nil
	}
	if _, err := r.fsck(ctx, "--repair"); err != nil {
		return err
	}
	left, err := r.fsck(ctx)
	if err != nil {
		return err
	}
	for _, f := range left {
		if f.Repairable {
			r.violation("F20: fsck --repair leaves %s", f.text())
		}
	}
	r.told("fsck finds %d (%d repairable), %d left", len(found), repairable, len(left))
	return nil
}

// flip turns one bit in the second half of the append-only file.
func flip(dir string, dice *rand.Rand) error {
	name, err := appendOnly(dir)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	at := st.Size()/2 + dice.Int64N(max(1, st.Size()/2))
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		return errors.Join(err, f.Close())
	}
	b[0] ^= 1 << dice.IntN(8)
	_, err = f.WriteAt(b, at)
	return errors.Join(err, f.Close())
}

// mend does what an operator does with a file that Redis refuses. That the name of a
// command is wrong is nothing that redis-check-aof sees: the file is cut off there
// first, and the tool takes away what is in part then.
func mend(dir string, refusal error) error {
	name, err := appendOnly(dir)
	if err != nil {
		return err
	}
	_, rest, named := strings.Cut(refusal.Error(), "Unknown command '")
	if word, _, ends := strings.Cut(rest, "' reading the append only file"); named && ends {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if at := bytes.Index(text, []byte("\r\n"+word+"\r\n")); at >= 0 {
			if err := os.Truncate(name, int64(at)); err != nil {
				return err
			}
		}
	}
	cmd := exec.Command("redis-check-aof", "--fix", name)
	cmd.Stdin = strings.NewReader("y\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("redis-check-aof: %w\n%s", err, out)
	}
	return nil
}

// TestMend: a file with a wrong bit in the name of a command is mended, too, and
// what stood there is gone as a whole.
func TestMend(t *testing.T) {
	server := redistest.Run(t, redistest.Config{Args: durable})
	ctx := t.Context()
	for _, script := range []string{
		"redis.call('SET', 'kept', '1')",
		"redis.call('SET', 'half', '1') redis.call('ZADD', 'wrong', '1', 'a')",
		"redis.call('SET', 'later', '1')",
	} {
		if _, err := server.Do(ctx, "EVAL", script+" return 1", "0"); err != nil {
			t.Fatal(err)
		}
	}
	server.Kill()
	name, err := appendOnly(server.Dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Replace(text, []byte("ZADD"), []byte("Z@DD"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	refusal := server.Restart()
	if refusal == nil {
		t.Fatal("Redis takes the file")
	}
	if err := errors.Join(mend(server.Dir, refusal), server.Restart()); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"kept": "1", "half": "0", "wrong": "0", "later": "0"} {
		if n, err := server.Do(ctx, "EXISTS", key); err != nil || fmt.Sprint(n) != want {
			t.Errorf("%s: %v, %v", key, n, err)
		}
	}
}

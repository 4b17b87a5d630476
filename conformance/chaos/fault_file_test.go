package chaos_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

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
			return nil
		},
		limits: limits{lost: true},
	}
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

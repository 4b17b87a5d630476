package resources_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// carriedOver tells which tests' worlds are carried over each time: some of every
// noun. With USHER_CARRY_OVER all are.
func carriedOver(test string) bool {
	name, _, _ := strings.Cut(test, "/")
	return slices.Contains([]string{
		"TestClientSecrets", "TestAssertions", "TestSessionList", "TestProviderSessions", "TestGroupSeats", "TestGroupTemplate",
		"TestAutomaticMailsWarning", "TestDeactivateKillsSession", "TestGroupDocument", "TestHold", "TestLineRace",
		"TestReportOfRealUsers", "TestNumberFrees", "TestConnections", "TestDeclaredKeysLive", "TestAccessTokens", "TestDomainLost",
		"TestEnforcedConnection", "TestDeletedAccess",
	}, name)
}

// carryOver backs up everything that a test has left on a server, restores it into
// another one, and compares both key by key.
func (b *bundle) carryOver(t *testing.T, url string) {
	t.Helper()
	ctx := context.Background()
	file := b.backUp(t)
	target := redistest.Start(t)
	s, err := backend.Open(ctx, backend.Config{URL: target, Now: b.clock.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	contents, err := backend.ReadBackup(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if _, err := s.Restore(ctx, bytes.NewReader(file), contents, backend.RestoreConfig{Placed: resources.Placement}); err != nil {
		t.Fatalf("restore: %v", err)
	}
	had, has := carried(t, url), carried(t, target)
	if diff := cmp.Diff(had, has); diff != "" {
		t.Errorf("the restored store differs (-was +is):\n%s", diff)
	}
	for _, o := range contents.Orgs {
		was, err := b.store.Audit(ctx, o.Org, resources.Placement)
		if err != nil {
			t.Fatal(err)
		}
		is, err := s.Audit(ctx, o.Org, resources.Placement)
		if err != nil {
			t.Fatal(err)
		}
		if len(is) > len(was) {
			t.Errorf("audit of %s: %d faults, for example %q; there were %d", o.Slug, len(is), is[:min(5, len(is))], len(was))
		}
	}
}

// backUp backs up the platform and all organizations.
func (b *bundle) backUp(t *testing.T) []byte {
	t.Helper()
	ctx := context.Background()
	var file bytes.Buffer
	w, err := b.store.NewBackup(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	orgs := []backend.BackupConfig{{Org: resources.PlatformOrg, Slug: resources.PlatformSlug, Placed: resources.Placement}}
	all, _, err := b.Orgs(ctx, b.operator, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		orgs = append(orgs, backend.BackupConfig{Org: o.ID, Slug: o.Slug, Placed: resources.Placement})
	}
	for _, o := range orgs {
		if _, err := b.store.Backup(ctx, w, o); err != nil {
			t.Fatalf("backup of %s: %v", o.Slug, err)
		}
	}
	if err := w.Complete(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// carried is what a server holds, but for what a backup leaves behind: attempts,
// leases, bells, marks, what only waits to be forgotten; and the names of the
// attempts that took claims.
func carried(t *testing.T, url string) map[string]string {
	t.Helper()
	client := redistest.Client(t, url)
	all := redistest.Dump(t, client)
	claim := regexp.MustCompile(`\|[0-9a-v]{12}(\n|$)`)
	out := map[string]string{}
	for key, text := range all {
		letters, rest, _ := strings.Cut(key, ":")
		tag, _, _ := strings.Cut(rest, "}")
		switch letters {
		case "at", "lz", "bl", "br", "bk", "rs", "in", "ab":
			continue
		case "em", "nu", "su", "cl":
			text = claim.ReplaceAllString(text, "|$1")
		case "tl": // groups whose members are not to become due
			text = regexp.MustCompile(`\n[0-9a-v]{20}\x000(\n|$)`).ReplaceAllString(text, "$1")
		case "tr":
			if !strings.Contains(all["tl:"+tag+"}"], key[len(key)-20:]+"\x001") {
				continue
			}
		case "ug":
			text = rowOf(strings.TrimPrefix(text, "string\n"), all["gd:"+tag+"}"])
		}
		if !slices.Contains([]string{"", "zset"}, text) {
			out[key] = text
		}
	}
	return out
}

// rowOf sorts ids in a row and leaves out groups that are gone.
func rowOf(row, names string) string {
	var ids []string
	for chunk := range slices.Chunk([]byte(row), 20) {
		if strings.Contains(names, string(chunk)) {
			ids = append(ids, string(chunk))
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// TestCarryOverUnderWay: a change of a large membership that is cut off goes on in
// the store that it was carried over into.
func TestCarryOverUnderWay(t *testing.T) {
	url := redistest.Start(t)
	b := newBundle(t, url)
	users := b.usersNamed(t, 900)
	group, err := b.CreateGroup(t.Context(), b.a, groupDoc(t, "Long"), users[:600])
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.cut(t, 2).EditMembers(t.Context(), b.a, group.ID, resources.MemberEdit{Replace: true, Add: users[400:]})
	if !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	if marks := carried(t, url)["mk:{"+string(b.a.Org)+"}"]; !strings.Contains(marks, group.ID) {
		t.Fatalf("no change is under way: %q", marks)
	}
	b.carryOver(t, url)
}

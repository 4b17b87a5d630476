package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// collect walks over all users by cursor once and keeps the cursor of every
// page; "" is that of the first one. usher keeps nothing of a walk, so that the
// same cursors make the same walk again, from any connection.
func (m *meter) collect(ctx context.Context) ([]string, error) {
	cursors := []string{""}
	for len(cursors) <= m.Users/100+1 {
		next, err := m.nextCursor(ctx, cursors[len(cursors)-1])
		if err != nil || next == "" {
			return cursors, err
		}
		cursors = append(cursors, next)
	}
	return nil, fmt.Errorf("the walk over %d users has more than %d pages", m.Users, len(cursors)-1)
}

func (m *meter) nextCursor(ctx context.Context, cursor string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.usherAddr+m.prefix+"/Users?count=100&cursor="+cursor, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }() // read below
	var page struct {
		NextCursor string `json:"nextCursor"`
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		return "", fmt.Errorf("page by cursor: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("page by cursor: status %d", res.StatusCode)
	}
	return page.NextCursor, nil
}

// leaf reads one page of the walk.
func (m *meter) leaf(cursors []string, page func(w, n int) int) load {
	return m.get("cursor", func(buf []byte, w, n int) []byte {
		return append(append(buf, "/Users?count=100&cursor="...), cursors[page(w, n)]...)
	})
}

// walks measures walks by cursor: every connection goes through all pages, from
// a page of its own on.
func (m *meter) walks(ctx context.Context) error {
	cursors, err := m.collect(ctx)
	if err != nil {
		return err
	}
	full := max(len(cursors)-1, 1) // the last page may be a short one
	walk := func(w, n int) int { return (w*full/m.Conns + n) % full }
	rank := func(w, n int) int { return 100 * walk(w, n) }
	if err := m.compare(ctx, Row{Work: "walk by cursor, 100 a page ÷ R4", Gate: 0.75, Goal: 0.85}, m.leaf(cursors, walk), m.barePage(rank)); err != nil {
		return err
	}
	first := func(int, int) int { return 0 }
	atEnd := func(int, int) int { return full - 1 }
	return m.slower(ctx, Row{Work: "walk by cursor: last ÷ first page, time", Gate: 1.3, Goal: 1.15}, m.leaf(cursors, atEnd), m.leaf(cursors, first))
}

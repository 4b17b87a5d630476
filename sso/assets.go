package sso

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// Everything that browsers load is in the binary: nothing comes from elsewhere.
//
//go:embed assets/*.css assets/*.js assets/*.svg assets/icons/*.svg
var assetFiles embed.FS

//go:embed texts/*.json
var textTree embed.FS

// textFiles are the catalogs.
func textFiles() fs.FS {
	sub, err := fs.Sub(textTree, "texts")
	if err != nil {
		return textTree // Load says what is missing
	}
	return sub
}

// assetPath begins the addresses of assets.
const assetPath = "/assets/"

// assets serves files under names that carry a hash of what is in them, so that
// browsers may keep them for ever.
type assets struct {
	addresses map[string]string // name → address
	files     map[string]asset  // address → file
	icons     map[string]template.HTML
}

type asset struct {
	kind string
	body []byte
}

// loadAssets reads the files.
func loadAssets() (*assets, error) {
	a := &assets{addresses: map[string]string{}, files: map[string]asset{}, icons: map[string]template.HTML{}}
	err := fs.WalkDir(assetFiles, "assets", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := assetFiles.ReadFile(name)
		if err != nil {
			return err
		}
		if path.Base(path.Dir(name)) == "icons" {
			a.icons[strings.TrimSuffix(path.Base(name), ".svg")] = inline(string(body))
			return nil
		}
		sum := sha256.Sum256(body)
		base, ext := path.Base(name), path.Ext(name)
		address := assetPath + strings.TrimSuffix(base, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.addresses[base] = address
		a.files[address] = asset{mime.TypeByExtension(ext), body}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sso: assets: %w", err)
	}
	return a, nil
}

// inline makes an icon that stands in a page: without its comment, hidden from
// who listens to the page.
func inline(svg string) template.HTML {
	_, svg, _ = strings.Cut(svg, "<svg")
	//nolint:gosec // the text is a file of this binary
	return template.HTML(`<svg aria-hidden="true" focusable="false" ` + strings.Join(strings.Fields(svg), " "))
}

// address gives the address of an asset.
func (a *assets) address(name string) (string, error) {
	if address, ok := a.addresses[name]; ok {
		return address, nil
	}
	return "", fmt.Errorf("there is no asset %q", name)
}

// icon gives an icon.
func (a *assets) icon(name string) (template.HTML, error) {
	if svg, ok := a.icons[name]; ok {
		return svg, nil
	}
	return "", fmt.Errorf("there is no icon %q", name)
}

// ServeHTTP serves a file.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body) // an error means that the browser has gone
	}
}

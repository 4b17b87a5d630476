package scim

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/oauth"
	"github.com/usher-scim/usher/scim/schema"
)

// documents are the discovery resources of one organization, rendered.
type documents struct {
	offer                  *resources.Offer // as they were rendered for
	config, types, schemas document
	granted                document // config for connections that use the token endpoint
}

// document is one of them with the version of its content.
type document struct {
	body []byte
	tag  string
}

func newDocument(body []byte) document {
	return document{body: body, tag: contentTag(body)}
}

// contentTag is the version of what has no other one than what it says.
func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// documentCache keeps rendered discovery by base URL, which names the
// organization. Past its size it starts anew.
type documentCache struct {
	mu  sync.RWMutex
	all map[string]*documents
}

const cachedDocuments = 256

// discovery gives the rendered documents for a base URL and what the
// organization there can have.
func (w *world) discovery(base string, offer *resources.Offer) *documents {
	w.documents.mu.RLock()
	d := w.documents.all[base]
	w.documents.mu.RUnlock()
	if d != nil && d.offer.Equal(offer) {
		return d
	}
	provider := schema.ProviderConfig{
		Bulk: true, BulkMaxOperations: bulkMost, BulkMaxPayloadSize: maxBody, FilterMaxResults: maxCount,
		PageSize: defaultCount, CursorTimeout: int(cursorTimeout.Seconds()),
	}
	granted := provider
	granted.OAuthMetadata = strings.TrimSuffix(base, "/scim/v2") + oauth.MetadataPath
	d = &documents{
		offer:   offer,
		config:  newDocument(schema.AppendServiceProviderConfig(nil, base, provider)),
		granted: newDocument(schema.AppendServiceProviderConfig(nil, base, granted)),
		types:   newDocument(w.registry.AppendResourceTypes(nil, base)),
		schemas: newDocument(w.registry.AppendSchemas(nil, base, offer)),
	}
	w.documents.mu.Lock()
	if w.documents.all == nil || len(w.documents.all) >= cachedDocuments {
		w.documents.all = make(map[string]*documents)
	}
	w.documents.all[base] = d
	w.documents.mu.Unlock()
	return d
}

// The discovery endpoints ignore every query parameter, filter too.

// documents gives the discovery of the caller's organization.
func (c *call) documents(ctx context.Context) (*documents, error) {
	offer, err := c.dir.Offer(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return c.world.discovery(c.base(), offer), nil
}

func (c *call) providerConfig(ctx context.Context) error {
	docs, err := c.documents(ctx)
	if err != nil {
		return err
	}
	if c.caller.Method == resources.MethodSecret || c.caller.Method == resources.MethodKey {
		return c.sendDocument(docs.granted)
	}
	return c.sendDocument(docs.config)
}

func (c *call) resourceTypes(ctx context.Context) error {
	docs, err := c.documents(ctx)
	if err != nil {
		return err
	}
	return c.sendDocument(docs.types)
}

func (c *call) schemas(ctx context.Context) error {
	docs, err := c.documents(ctx)
	if err != nil {
		return err
	}
	return c.sendDocument(docs.schemas)
}

func (c *call) resourceType(context.Context) error {
	body, ok := c.world.registry.AppendResourceType(nil, c.base(), c.id)
	return c.sendFound(body, ok, "resource type")
}

func (c *call) schema(ctx context.Context) error {
	offer, err := c.dir.Offer(ctx, c.caller)
	if err != nil {
		return err
	}
	body, ok := c.world.registry.AppendSchema(nil, c.base(), c.id, offer)
	return c.sendFound(body, ok, "schema")
}

func (c *call) sendFound(body []byte, ok bool, what string) error {
	if !ok {
		return notHere(what)
	}
	return c.sendDocument(newDocument(body))
}

// sendDocument answers with a document, or with 304 when the client has it.
func (c *call) sendDocument(d document) error {
	c.w.Header()["Etag"] = []string{d.tag}
	if conditionsOf(c.r.Header).unchanged(d.tag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	c.send(http.StatusOK, d.body)
	return nil
}

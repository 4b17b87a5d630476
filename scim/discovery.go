package scim

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/oauth"
	"github.com/usher-scim/usher/scim/schema"
)

// documents are the discovery resources of one base URL, rendered.
type documents struct {
	config, types, schemas []byte
	granted                []byte // config for connections that use the token endpoint
}

// documentCache keeps rendered discovery by base URL. Past its size it starts
// anew.
type documentCache struct {
	mu  sync.RWMutex
	all map[string]*documents
}

const cachedDocuments = 256

// discovery gives the rendered documents for a base URL.
func (w *world) discovery(base string) *documents {
	w.documents.mu.RLock()
	d := w.documents.all[base]
	w.documents.mu.RUnlock()
	if d != nil {
		return d
	}
	provider := schema.ProviderConfig{
		Bulk: true, BulkMaxOperations: bulkMost, BulkMaxPayloadSize: maxBody, FilterMaxResults: maxCount,
		PageSize: defaultCount, CursorTimeout: int(cursorTimeout.Seconds()),
	}
	granted := provider
	granted.OAuthMetadata = strings.TrimSuffix(base, "/scim/v2") + oauth.MetadataPath
	d = &documents{
		config:  schema.AppendServiceProviderConfig(nil, base, provider),
		granted: schema.AppendServiceProviderConfig(nil, base, granted),
		types:   w.registry.AppendResourceTypes(nil, base),
		schemas: w.registry.AppendSchemas(nil, base),
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

func (c *call) providerConfig(context.Context) error {
	docs := c.world.discovery(c.base())
	if c.caller.Method == resources.MethodSecret || c.caller.Method == resources.MethodKey {
		c.send(http.StatusOK, docs.granted)
		return nil
	}
	c.send(http.StatusOK, docs.config)
	return nil
}

func (c *call) resourceTypes(context.Context) error {
	c.send(http.StatusOK, c.world.discovery(c.base()).types)
	return nil
}

func (c *call) schemas(context.Context) error {
	c.send(http.StatusOK, c.world.discovery(c.base()).schemas)
	return nil
}

func (c *call) resourceType(context.Context) error {
	body, ok := c.world.registry.AppendResourceType(nil, c.base(), c.id)
	return c.sendFound(body, ok, "resource type")
}

func (c *call) schema(context.Context) error {
	body, ok := c.world.registry.AppendSchema(nil, c.base(), c.id)
	return c.sendFound(body, ok, "schema")
}

func (c *call) sendFound(body []byte, ok bool, what string) error {
	if !ok {
		return notHere(what)
	}
	c.send(http.StatusOK, body)
	return nil
}

package scim_test

import (
	"fmt"
	"testing"
)

// onDeclaredStores is onStores with declared types.
func onDeclaredStores(b *testing.B, run func(b *testing.B, h *house)) {
	onStores(b, func(b *testing.B, h *house) { run(b, h.declare(declaration(b))) })
}

// The example's devices hide nothing and are sent as they are stored.
func BenchmarkGetDeclared(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		h.declareFor("acme", exampleType)
		id := h.ask("POST", "/Devices", exampleDevice("s")).want(201).str("id")
		h.bench(b, "GET", func(int) (string, string) { return "/Devices/" + id, "" }, 200)
	})
}

// Those of the tests' declaration have attributes that are not shown, so that
// every document is decoded.
func BenchmarkGetDeclaredHiding(b *testing.B) {
	onDeclaredStores(b, func(b *testing.B, h *house) {
		id := h.device("s", `,"stringOne":"x","pin":"1","complexOne":{"value":"v","pin":"p"}`)
		h.bench(b, "GET", func(int) (string, string) { return "/Devices/" + id, "" }, 200)
	})
}

func BenchmarkPostDeclared(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		h.declareFor("acme", exampleType)
		h.bench(b, "POST", func(i int) (string, string) { return "/Devices", exampleDevice(fmt.Sprint("s", i)) }, 201)
	})
}

func BenchmarkFindDeclared(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		h.declareFor("acme", exampleType)
		h.ask("POST", "/Devices", exampleDevice("s")).want(201)
		h.bench(b, "GET", func(int) (string, string) { return "/Devices?filter=serialNumber+eq+%22s%22", "" }, 200)
	})
}

func BenchmarkListDeclared100(b *testing.B) {
	onStores(b, func(b *testing.B, h *house) {
		h.declareFor("acme", exampleType)
		for i := range 200 {
			h.ask("POST", "/Devices", exampleDevice(fmt.Sprint("s", i))).want(201)
		}
		h.bench(b, "GET", func(int) (string, string) { return "/Devices?count=100", "" }, 200)
	})
}

func exampleDevice(serial string) string {
	return `{"schemas":["urn:example:params:scim:schemas:core:2.0:Device"],"externalId":"` + serial + `","displayName":"Laptop","serialNumber":"` + serial + `",
		"model":"X1","active":true,"price":1299.5,"purchasedAt":"2026-01-02T03:04:05Z","tags":["loan","shared"],"owner":{"value":"00000000000000000000"}}`
}

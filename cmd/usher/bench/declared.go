package bench

import (
	"context"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
)

const (
	deviceURN = "urn:example:bench:2.0:Device"
	devices   = 1000

	deviceType = `{"schemas":[{"id":"` + deviceURN + `","attributes":[{"name":"displayName"},` +
		`{"name":"serialNumber","required":true,"caseExact":true,"uniqueness":"server"},{"name":"tags","multiValued":true},{"name":"price","type":"decimal"},` +
		`{"name":"owner","type":"complex","subAttributes":[{"name":"value"},{"name":"$ref","type":"reference"}]}]}],` +
		`"resourceTypes":[{"name":"Device","endpoint":"/Devices","schema":"` + deviceURN + `"}]}`
)

// deviceJSON is the n-th device.
func deviceJSON(n int) string {
	return fmt.Sprintf(`{"schemas":["%s"],"externalId":"d%08d","displayName":"Laptop %08d","serialNumber":"S%08d","tags":["loan","shared"],"price":1299.5,`+
		`"owner":{"value":"00000000000000000000"}}`, deviceURN, n, n, n)
}

// declared measures resources of a declared type against users. It comes late:
// nothing was declared when the other rows were measured.
func (m *meter) declared(ctx context.Context) error {
	operator := m.operator()
	if _, err := m.dir.SetDeclared(ctx, operator, m.caller.Slug, []byte(deviceType), nil); err != nil {
		return err
	}
	caller, err := m.dir.Authenticate(ctx, m.token)
	if err != nil {
		return err
	}
	ids := make([]string, devices)
	for i := range ids {
		doc, err := jsontree.Parse([]byte(deviceJSON(i)), jsontree.BodyLimits())
		if err != nil {
			return err
		}
		rec, err := m.dir.CreateCustom(ctx, caller, "Device", doc)
		if err != nil {
			return fmt.Errorf("load devices: %w", err)
		}
		ids[i] = rec.ID
	}
	m.made.Add(devices)
	get := m.get("get declared", func(buf []byte, w, i int) []byte {
		return append(append(buf, "/Devices/"...), ids[pick(w, i, devices)]...)
	})
	if err := m.compare(ctx, Row{Work: "GET declared type ÷ GET /Users/{id}", Gate: 0.85, Goal: 1}, get, m.getUser(m.Users-m.free, m.free)); err != nil {
		return err
	}
	find := m.get("declared eq", func(buf []byte, w, i int) []byte {
		return fmt.Appendf(append(buf, "/Devices?filter="...), "serialNumber%%20eq%%20%%22S%08d%%22", pick(w, i, devices))
	})
	if err := m.compare(ctx, Row{Work: "declared unique eq ÷ userName eq", Gate: 0.85, Goal: 1}, find, m.find(equalities()[0])); err != nil {
		return err
	}
	create := m.send(load{name: "create declared", addr: m.usherAddr, want: 201}, "POST",
		func(buf []byte, _, _ int) []byte { return append(append(buf, m.prefix...), "/Devices"...) },
		func(int, int) string { return deviceJSON(int(m.made.Add(1))) })
	return m.compare(ctx, Row{Work: "POST declared type ÷ POST /Users", Gate: 0.85, Goal: 1}, create, m.create())
}

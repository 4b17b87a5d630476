package main

import (
	"os"
	"strings"
	"testing"
)

const (
	badgeFile  = "../../docs/examples/badge-extension.json"
	deviceFile = "../../docs/examples/device-type.json"
	badgeURN   = "urn:example:params:scim:schemas:extension:badge:2.0:User"
)

// TestSchemaCommands takes the examples through the commands that
// docs/examples/README.md shows.
func TestSchemaCommands(t *testing.T) {
	n := start(t, nil)
	with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
	want := func(code int, says string, args ...string) string {
		t.Helper()
		got := wantCode(t, code, nil, with(args...)...)
		if !strings.Contains(got.stdout+got.stderr, says) {
			t.Errorf("usher %s: the output lacks %q:\n%s%s", strings.Join(args, " "), says, got.stdout, got.stderr)
		}
		return got.stdout
	}
	want(0, "ID  NAME", "schema", "list", "demo")
	want(0, "Badge  6           User", "schema", "put", "demo", badgeFile, "--extends", "User")
	want(0, badgeURN, "resource-type", "list", "demo")
	want(0, badgeURN+" (required)", "resource-type", "extend", "demo", "user", badgeURN, "--required")
	want(0, "deleted", "resource-type", "retract", "demo", "User", badgeURN)
	want(exitNotFound, "no resource type", "resource-type", "retract", "demo", "Device", badgeURN)
	want(0, "Device", "schema", "put", "demo", deviceFile)
	want(exitNotFound, "put it first", "resource-type", "extend", "demo", "User", "urn:x:none")
	want(0, "/Devices", "resource-type", "put", "demo", deviceFile)

	var schema struct{ Attributes []map[string]any }
	decode(t, want(0, "badgeNumber", "schema", "get", "demo", badgeURN), &schema)
	if len(schema.Attributes) != 6 || schema.Attributes[0]["uniqueness"] != "server" {
		t.Errorf("schema %+v", schema)
	}
	var all declaration
	decode(t, want(0, "resourceTypes", "schema", "list", "demo", "--output", "json"), &all)
	if all.Version != 6 || len(all.Schemas) != 2 || len(all.Types) != 1 {
		t.Errorf("declaration %+v", all)
	}
	want(exitNotFound, "no such schema", "schema", "get", "demo", "urn:x:none")
	want(exitConflict, "core of the resource type Device", "schema", "delete", "demo", "urn:example:params:scim:schemas:core:2.0:Device")
	want(0, "deleted", "resource-type", "delete", "demo", "Device")
	want(0, "deleted", "schema", "delete", "demo", badgeURN)
	want(exitNotFound, "declares no schema", "schema", "delete", "demo", badgeURN)

	want(exitUsage, "without --extends", "schema", "put", "demo", badgeFile, "--required")
	want(exitUsage, "cannot read", "schema", "put", "demo", "/does/not/exist")
	want(exitUsage, "not a JSON object", "schema", "put", "demo", file(t, "["))
	want(exitUsage, "neither attributes nor", "schema", "put", "demo", file(t, "{}"))
	want(exitUsage, "no id", "schema", "put", "demo", file(t, `{"attributes":[]}`))
	want(exitUsage, "attributes[0].type", "schema", "put", "demo", file(t, `{"id":"urn:x:y","attributes":[{"name":"a","type":"text"}]}`))
}

// TestSchemasForAll: the setting schemas is read and checked at start.
func TestSchemasForAll(t *testing.T) {
	raw, err := os.ReadFile(badgeFile)
	if err != nil {
		t.Fatal(err)
	}
	badge := file(t, `{"schemas":[`+string(raw)+`],"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"`+badgeURN+`"}]}]}`)
	n := start(t, map[string]string{"USHER_SCHEMAS": deviceFile + "," + badge})
	got := wantCode(t, exitUsage, nil, "schema", "put", "demo", badgeFile, "--ready-file", n.file)
	if !strings.Contains(got.stderr, "The operator declared the schema") {
		t.Errorf("declared again:\n%s", got.stderr)
	}
	wantCode(t, 0, map[string]string{"USHER_SCHEMAS": deviceFile}, "config", "check")
	bad := map[string]string{"USHER_LISTEN": "x", "USHER_SCHEMAS": strings.Join([]string{
		deviceFile, deviceFile, file(t, `{"schemas":[{"id":"x","attributes":[{"name":"1"}]}]}`), "/does/not/exist",
	}, ",")}
	for _, command := range [][]string{{"config", "check"}, {"serve"}} {
		got = wantCode(t, exitConfig, bad, command...)
		for _, says := range []string{
			"listen (variable USHER_LISTEN)", "  - schemas (variable USHER_SCHEMAS): " + deviceFile + ": schemas: The operator",
			"schemas[0].id: ", "schemas[0].attributes[0].name: ", "/does/not/exist",
		} {
			if !strings.Contains(got.stderr, says) {
				t.Errorf("%v lacks %q:\n%s", command, says, got.stderr)
			}
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/internal/config"
)

// declaration is what an organization declares, as the REST API shows it.
// Schemas and types stay as they are, but for what tables show of them.
type declaration struct {
	Version uint64            `json:"version"`
	Schemas []json.RawMessage `json:"schemas"`
	Types   []json.RawMessage `json:"resourceTypes"`
}

// schemaHead and typeHead are what tables show.
type schemaHead struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Attributes []json.RawMessage `json:"attributes"`
}

type typeHead struct {
	Name       string `json:"name"`
	Endpoint   string `json:"endpoint"`
	Schema     string `json:"schema"`
	Extensions []struct {
		Schema   string `json:"schema"`
		Required bool   `json:"required"`
	} `json:"schemaExtensions"`
}

// heads reads parts of a declaration; what is none of them is left empty.
func heads[T any](parts []json.RawMessage) ([]T, error) {
	out := make([]T, len(parts))
	for i, part := range parts {
		if err := json.Unmarshal(part, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func schemasPath(slug string) string { return orgPath(slug) + "/schemas" }

func schemaPath(slug, id string) string { return schemasPath(slug) + "/" + url.PathEscape(id) }

func newSchemaCommand(p *program) *cobra.Command {
	v := &orgVerb{program: p}
	cmd := nounCommand("schema", "Manage the schemas that an organization declares beside the built-in ones",
		v.listSchemas(), v.getSchema(), v.putSchema(), v.deleteSchema())
	addAPIFlags(cmd, &v.api)
	for _, c := range cmd.Commands() {
		if c.Name() != "get" { // a schema is always JSON
			addOutputFlag(c, &v.output)
		}
	}
	return cmd
}

// declared reads what an organization declares.
func (c *client) declared(ctx context.Context, what, slug string) (declaration, error) {
	var d declaration
	err := c.call(ctx, what, http.MethodGet, schemasPath(slug), nil, &d)
	return d, err
}

// printDeclared shows a declaration: as JSON whole, for people its schemas or
// its types.
func (v *orgVerb) printDeclared(d declaration, types bool) error {
	schemas, err := heads[schemaHead](d.Schemas)
	if err != nil {
		return fmt.Errorf("read schemas: %w", err)
	}
	list, err := heads[typeHead](d.Types)
	if err != nil {
		return fmt.Errorf("read resource types: %w", err)
	}
	return v.print(v.output, d, func() table {
		if types {
			return typeTable(list)
		}
		return schemaTable(schemas, list)
	})
}

func schemaTable(schemas []schemaHead, types []typeHead) table {
	t := table{head: []string{"ID", "NAME", "ATTRIBUTES", "USED BY"}}
	for _, s := range schemas {
		var users []string
		for _, typ := range types {
			used := strings.EqualFold(typ.Schema, s.ID)
			for _, e := range typ.Extensions {
				used = used || strings.EqualFold(e.Schema, s.ID)
			}
			if used {
				users = append(users, typ.Name)
			}
		}
		t.rows = append(t.rows, []string{s.ID, s.Name, strconv.Itoa(len(s.Attributes)), strings.Join(users, ",")})
	}
	return t
}

func typeTable(types []typeHead) table {
	t := table{head: []string{"NAME", "ENDPOINT", "SCHEMA", "EXTENSIONS"}}
	for _, typ := range types {
		extensions := make([]string, len(typ.Extensions))
		for i, e := range typ.Extensions {
			if extensions[i] = e.Schema; e.Required {
				extensions[i] += " (required)"
			}
		}
		t.rows = append(t.rows, []string{typ.Name, typ.Endpoint, typ.Schema, strings.Join(extensions, ", ")})
	}
	return t
}

func (v *orgVerb) listSchemas() *cobra.Command {
	cmd := &cobra.Command{Use: "list SLUG", Short: "List the declared schemas and which resource types use them", Args: wants("slug")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		d, err := c.declared(ctx, "cannot list the schemas of "+args[0], args[0])
		if err != nil {
			return err
		}
		return v.printDeclared(d, false)
	})
	return cmd
}

func (v *orgVerb) getSchema() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get SLUG ID", Short: "Print a declared schema as JSON (RFC 7643 §7)", Args: wants("slug", "id"),
		Example: "  usher schema get acme urn:example:params:scim:schemas:extension:badge:2.0:User > badge.json",
	}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		what := "cannot get the schema " + args[1]
		d, err := c.declared(ctx, what, args[0])
		if err != nil {
			return err
		}
		for _, raw := range d.Schemas {
			var s schemaHead
			if err := json.Unmarshal(raw, &s); err != nil {
				return fmt.Errorf("read schemas: %w", err)
			}
			if strings.EqualFold(s.ID, args[1]) {
				return v.print("json", raw, nil)
			}
		}
		return &failure{exit: exitNotFound, what: what, why: errors.New("the organization declares no such schema"), todo: "see \"usher schema list " + args[0] + "\""}
	})
	return cmd
}

func (v *orgVerb) putSchema() *cobra.Command {
	var extends string
	var required bool
	cmd := &cobra.Command{
		Use: "put SLUG FILE", Short: "Declare or replace a schema, or all those of a declaration", Args: wants("slug", "file"),
		Long: "Declare or replace a schema. FILE holds one schema as RFC 7643 §7 writes it, or a declaration\n" +
			"({\"schemas\": […]}), of which every schema is put; - is stdin.",
		Example: "  usher schema put acme docs/examples/badge-extension.json --extends User",
	}
	cmd.Flags().StringVar(&extends, "extends", "", "make it an extension of this resource type: User, Group or a declared one")
	cmd.Flags().BoolVar(&required, "required", false, "with --extends: every resource of the type must have it")
	run := v.act(func(ctx context.Context, c *client, args []string) error {
		parts, err := v.parts(args[1], "schemas", "attributes")
		if err != nil {
			return err
		}
		schemas, err := heads[schemaHead](parts)
		if err != nil {
			return badPart(args[1], "schema", err)
		}
		var d declaration
		for i, s := range schemas {
			if s.ID == "" {
				return badPart(args[1], "schema", errors.New("it has no id"))
			}
			if err := c.call(ctx, "cannot put the schema "+s.ID, http.MethodPut, schemaPath(args[0], s.ID), parts[i], &d); err != nil {
				return err
			}
			if extends == "" {
				continue
			}
			if err := c.call(ctx, "cannot extend "+extends, http.MethodPut, extensionPath(args[0], extends, s.ID), map[string]bool{"required": required}, &d); err != nil {
				return err
			}
		}
		return v.printDeclared(d, false)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if required && extends == "" {
			return &failure{exit: exitUsage, why: errors.New("--required says nothing without --extends"), todo: "name the resource type with --extends"}
		}
		return run(cmd, args)
	}
	return cmd
}

func (v *orgVerb) deleteSchema() *cobra.Command {
	cmd := &cobra.Command{Use: "delete SLUG ID", Short: "Remove a declared schema, also from the types it extends", Args: wants("slug", "id")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		if err := c.call(ctx, "cannot delete the schema "+args[1], http.MethodDelete, schemaPath(args[0], args[1]), nil, nil); err != nil {
			return err
		}
		return v.printDeleted("id", args[1])
	})
	return cmd
}

func (v *orgVerb) printDeleted(member, name string) error {
	return v.print(v.output, map[string]string{member: name, "state": "deleted"}, func() table { return table{rows: [][]string{{name, "deleted"}}} })
}

func badPart(file, noun string, why error) error {
	return &failure{exit: exitUsage, what: "cannot read a " + noun + " from " + file, why: why, todo: "write it as RFC 7643 describes it, see docs/examples"}
}

// parts reads what a file holds: those of a declaration under the member list,
// or one that has the member own.
func (v *orgVerb) parts(file, list, own string) ([]json.RawMessage, error) {
	var raw []byte
	var err error
	if file == "-" {
		raw, err = io.ReadAll(io.LimitReader(v.stdin, 1<<20))
	} else {
		raw, err = config.ReadFile(file)
	}
	if err != nil {
		return nil, &failure{exit: exitUsage, what: "cannot read " + file, why: err, todo: "check the path and its permissions"}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, &failure{exit: exitUsage, what: file + " is not a JSON object", why: err, todo: "correct the file"}
	}
	if _, single := members[own]; single {
		return []json.RawMessage{raw}, nil
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(members[list], &parts); err != nil || len(parts) == 0 {
		return nil, &failure{exit: exitUsage, why: fmt.Errorf("%s has neither %s nor a list of %s", file, own, list), todo: "see docs/examples for how it is written"}
	}
	return parts, nil
}

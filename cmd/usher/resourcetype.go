package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func typePath(slug, name string) string {
	return orgPath(slug) + "/resource-types/" + url.PathEscape(name)
}

func extensionPath(slug, name, schema string) string {
	return typePath(slug, name) + "/extensions/" + url.PathEscape(schema)
}

func newResourceTypeCommand(p *program) *cobra.Command {
	v := &orgVerb{program: p}
	cmd := nounCommand("resource-type", "Manage the resource types that an organization declares, and what extends User and Group",
		v.listTypes(), v.putType(), v.deleteType(), v.extendType(), v.retractType())
	addAPIFlags(cmd, &v.api)
	for _, c := range cmd.Commands() {
		addOutputFlag(c, &v.output)
	}
	return cmd
}

func (v *orgVerb) listTypes() *cobra.Command {
	cmd := &cobra.Command{Use: "list SLUG", Short: "List the declared resource types and all extensions", Args: wants("slug")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		d, err := c.declared(ctx, "cannot list the resource types of "+args[0], args[0])
		if err != nil {
			return err
		}
		return v.printDeclared(d, true)
	})
	return cmd
}

func (v *orgVerb) putType() *cobra.Command {
	cmd := &cobra.Command{
		Use: "put SLUG FILE", Short: "Declare or replace a resource type, or all those of a declaration", Args: wants("slug", "file"),
		Long: "Declare or replace a resource type. FILE holds one as RFC 7643 §6 writes it, or a declaration\n" +
			"({\"resourceTypes\": […]}), of which every type is put; - is stdin. Its schemas must be declared already.",
		Example: "  usher schema put acme docs/examples/device-type.json\n  usher resource-type put acme docs/examples/device-type.json",
	}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		parts, err := v.parts(args[1], "resourceTypes", "name")
		if err != nil {
			return err
		}
		types, err := heads[typeHead](parts)
		if err != nil {
			return badPart(args[1], "resource type", err)
		}
		var d declaration
		for i, t := range types {
			if t.Name == "" {
				return badPart(args[1], "resource type", errors.New("it has no name"))
			}
			if err := c.call(ctx, "cannot put the resource type "+t.Name, http.MethodPut, typePath(args[0], t.Name), parts[i], &d); err != nil {
				return err
			}
		}
		return v.printDeclared(d, true)
	})
	return cmd
}

func (v *orgVerb) deleteType() *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete SLUG NAME", Short: "Remove a declared resource type; its schemas stay", Args: wants("slug", "name"),
		Long: "Remove a declared resource type, or with User or Group all their declared extensions; the schemas\nstay. It is refused while there are resources of the type.",
	}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		if err := c.call(ctx, "cannot delete the resource type "+args[1], http.MethodDelete, typePath(args[0], args[1]), nil, nil); err != nil {
			return err
		}
		return v.printDeleted("name", args[1])
	})
	return cmd
}

func (v *orgVerb) extendType() *cobra.Command {
	var required bool
	cmd := &cobra.Command{Use: "extend SLUG NAME ID", Short: "Make a declared schema an extension of User, Group or a declared type", Args: wants("slug", "name", "id")}
	cmd.Flags().BoolVar(&required, "required", false, "every resource of the type must have it")
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var d declaration
		if err := c.call(ctx, "cannot extend "+args[1], http.MethodPut, extensionPath(args[0], args[1], args[2]), map[string]bool{"required": required}, &d); err != nil {
			return err
		}
		return v.printDeclared(d, true)
	})
	return cmd
}

func (v *orgVerb) retractType() *cobra.Command {
	cmd := &cobra.Command{Use: "retract SLUG NAME ID", Short: "Take an extension from a resource type; the schema stays", Args: wants("slug", "name", "id")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		if err := c.call(ctx, "cannot retract the extension from "+args[1], http.MethodDelete, extensionPath(args[0], args[1], args[2]), nil, nil); err != nil {
			return err
		}
		return v.printDeleted("id", args[2])
	})
	return cmd
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// org and orgPage are organizations as the REST API shows them.
type org struct {
	Slug    string    `json:"slug"`
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Created time.Time `json:"created"`
}

type orgPage struct {
	Items []org `json:"items"`
	Total int   `json:"total"`
}

func orgTable(orgs ...org) table {
	t := table{head: []string{"SLUG", "NAME", "STATE", "CREATED"}}
	for _, o := range orgs {
		t.rows = append(t.rows, []string{o.Slug, o.Name, o.State, o.Created.Format(time.RFC3339)})
	}
	return t
}

func orgPath(slug string) string { return "/orgs/" + url.PathEscape(slug) }

// orgVerb is a command about one organization.
type orgVerb struct {
	*program
	api    apiFlags
	output string
}

func newOrgCommand(p *program) *cobra.Command {
	v := &orgVerb{program: p}
	cmd := nounCommand("org", "Manage organizations",
		v.create(), v.list(), v.show(), v.rename(),
		v.setState("suspend", "suspended", "Refuse an organization's tokens until it is resumed; nothing is lost"),
		v.setState("resume", "active", "Accept a suspended organization's tokens again"),
		v.delete())
	addAPIFlags(cmd, &v.api)
	for _, c := range cmd.Commands() {
		addOutputFlag(c, &v.output)
	}
	return cmd
}

// act connects and runs one verb.
func (v *orgVerb) act(do func(ctx context.Context, c *client, args []string) error) func(*cobra.Command, []string) error {
	return action(func(ctx context.Context, _ *cobra.Command, args []string) error {
		if err := badOutput(v.output); err != nil {
			return err
		}
		c, err := v.connect(&v.api)
		if err != nil {
			return err
		}
		return do(ctx, c, args)
	})
}

func (v *orgVerb) create() *cobra.Command {
	var name, admin, adminName string
	cmd := &cobra.Command{
		Use: "create SLUG", Short: "Create an organization", Args: wants("slug"),
		Example: "  usher org create acme --name \"Acme SA\" --admin zoe@acme.example",
	}
	cmd.Flags().StringVar(&name, "name", "", "its name for people (default: the slug)")
	cmd.Flags().StringVar(&admin, "admin", "", "e-mail address of its first administrator, who becomes a user")
	cmd.Flags().StringVar(&adminName, "admin-name", "", "name of the first administrator")
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var o org
		in := map[string]any{"slug": args[0]}
		if name != "" {
			in["name"] = name
		}
		if admin != "" {
			first := map[string]string{"email": admin}
			if adminName != "" {
				first["name"] = adminName
			}
			in["admin"] = first
		}
		if err := c.call(ctx, "cannot create organization "+args[0], http.MethodPost, "/orgs", in, &o); err != nil {
			return err
		}
		return v.print(v.output, o, func() table { return orgTable(o) })
	})
	return cmd
}

func (v *orgVerb) list() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List organizations", Args: wants()}
	cmd.RunE = v.act(func(ctx context.Context, c *client, _ []string) error {
		const page = 500
		all := orgPage{Items: []org{}}
		for {
			var part orgPage
			path := "/orgs?limit=" + strconv.Itoa(page) + "&offset=" + strconv.Itoa(len(all.Items))
			if err := c.call(ctx, "cannot list organizations", http.MethodGet, path, nil, &part); err != nil {
				return err
			}
			all.Items, all.Total = append(all.Items, part.Items...), part.Total
			if len(part.Items) == 0 || len(all.Items) >= part.Total {
				return v.print(v.output, all, func() table { return orgTable(all.Items...) })
			}
		}
	})
	return cmd
}

func (v *orgVerb) show() *cobra.Command {
	cmd := &cobra.Command{Use: "show SLUG", Short: "Show an organization", Args: wants("slug")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var o org
		if err := c.call(ctx, "cannot show organization "+args[0], http.MethodGet, orgPath(args[0]), nil, &o); err != nil {
			return err
		}
		return v.print(v.output, o, func() table { return orgTable(o) })
	})
	return cmd
}

// change sends a PATCH and shows the result.
func (v *orgVerb) change(ctx context.Context, c *client, slug string, change map[string]string) error {
	var o org
	if err := c.call(ctx, "cannot change organization "+slug, http.MethodPatch, orgPath(slug), change, &o); err != nil {
		return err
	}
	return v.print(v.output, o, func() table { return orgTable(o) })
}

func (v *orgVerb) rename() *cobra.Command {
	var slug, name string
	cmd := &cobra.Command{
		Use: "rename SLUG", Short: "Change slug or name of an organization", Args: wants("slug"),
		Long:    "Change slug or name of an organization. A new slug changes its SCIM URL: identity\nproviders must be told.",
		Example: "  usher org rename acme --slug acme-fr --name \"Acme France\"",
	}
	cmd.Flags().StringVar(&slug, "slug", "", "the new slug")
	cmd.Flags().StringVar(&name, "name", "", "the new name")
	run := v.act(func(ctx context.Context, c *client, args []string) error {
		change := map[string]string{}
		if slug != "" {
			change["slug"] = slug
		}
		if name != "" {
			change["name"] = name
		}
		return v.change(ctx, c, args[0], change)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if slug == "" && name == "" {
			return &failure{exit: exitUsage, why: errors.New("nothing to change"), todo: "give --slug, --name or both"}
		}
		return run(cmd, args)
	}
	return cmd
}

func (v *orgVerb) setState(name, state, short string) *cobra.Command {
	cmd := &cobra.Command{Use: name + " SLUG", Short: short, Args: wants("slug")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		return v.change(ctx, c, args[0], map[string]string{"state": state})
	})
	return cmd
}

func (v *orgVerb) delete() *cobra.Command {
	var yes, wait bool
	cmd := &cobra.Command{
		Use: "delete SLUG", Short: "Erase an organization with every user, group and token it has", Args: wants("slug"),
		Long: "Erase an organization with every user, group and token it has. This cannot be undone.\n" +
			"Its tokens are refused at once; the command waits until everything is gone, which takes\n" +
			"15 seconds at least: requests that came in before may still be at work.",
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().BoolVar(&wait, "wait", true, "wait until everything is gone; --wait=false returns at once")
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		slug := args[0]
		if !yes {
			if err := v.confirm(ctx, c, slug); err != nil {
				return err
			}
		}
		var out struct {
			State string `json:"state"`
		}
		path := orgPath(slug) + "?confirm=" + url.QueryEscape(slug)
		if err := c.call(ctx, "cannot delete organization "+slug, http.MethodDelete, path, nil, &out); err != nil {
			return err
		}
		if wait {
			if err := v.awaitGone(ctx, c, slug); err != nil {
				return err
			}
			out.State = "deleted"
		}
		return v.print(v.output, out, func() table { return table{rows: [][]string{{slug, out.State}}} })
	})
	return cmd
}

// confirm asks a person to type the slug.
func (v *orgVerb) confirm(ctx context.Context, c *client, slug string) error {
	if !v.interactive {
		return &failure{exit: exitUsage, why: errors.New("deleting an organization needs a confirmation, and nobody is there to give it"), todo: "add --yes"}
	}
	var o org
	if err := c.call(ctx, "cannot delete organization "+slug, http.MethodGet, orgPath(slug), nil, &o); err != nil {
		return err
	}
	fmt.Fprintf(v.stderr, "This erases %s (%s) with every user, group and token, for ever.\nType its slug to confirm: ", plain(o.Name), plain(o.Slug))
	typed, err := bufio.NewReader(v.stdin).ReadString('\n')
	if err != nil && typed == "" {
		return &failure{exit: exitFailure, why: errors.New("no confirmation, nothing was deleted")}
	}
	if strings.TrimSpace(typed) != slug {
		return &failure{exit: exitFailure, why: errors.New("that is not the slug, nothing was deleted")}
	}
	return nil
}

// awaitGone asks until the organization is not found.
func (v *orgVerb) awaitGone(ctx context.Context, c *client, slug string) error {
	began, pause := time.Now(), 100*time.Millisecond
	for {
		var o org
		err := c.call(ctx, "cannot watch the deletion of "+slug+", it goes on", http.MethodGet, orgPath(slug), nil, &o)
		f, failed := errors.AsType[*failure](err)
		gone := failed && f.exit == exitNotFound || err == nil && o.State != "deleting" // somebody else's by now
		if v.progress {
			fmt.Fprintf(v.stderr, "\rerasing %s … %d s", plain(slug), int(time.Since(began).Seconds()))
			if gone || err != nil {
				fmt.Fprint(v.stderr, "\r\x1b[K")
			}
		}
		if gone {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause = min(pause*2, 2*time.Second)
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes. Scripts rely on them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2   // the command line, or a value the server refused
	exitConfig      = 3   // the configuration
	exitNotFound    = 4   // what was named does not exist
	exitConflict    = 5   // it collides with what exists
	exitForbidden   = 6   // the credential is missing, wrong or not enough
	exitUnavailable = 7   // the server or its store cannot be reached
	exitInterrupted = 130 // by a signal
)

// failure is an error for people: what failed, why, what to do next, and the
// id under which the server's log tells more.
type failure struct {
	exit    int
	what    string
	why     error
	todo    string
	request string
}

// Error is one line, except where the reason itself has several.
func (f *failure) Error() string {
	parts := make([]string, 0, 3)
	if f.what != "" {
		parts = append(parts, f.what)
	}
	if f.why != nil {
		parts = append(parts, strings.TrimSpace(f.why.Error()))
	}
	text := strings.Join(parts, ": ")
	if f.todo != "" {
		text = strings.TrimSuffix(text, ".") + "; " + f.todo
	}
	if f.request != "" {
		text += " (req " + f.request + ")"
	}
	return text
}

// Unwrap gives the reason.
func (f *failure) Unwrap() error { return f.why }

// action makes a command's function: errors without an exit code of their own
// are plain failures, so that what cobra itself returns can only be a fault of
// the command line.
func action(do func(ctx context.Context, cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := do(cmd.Context(), cmd, args)
		if err == nil {
			return nil
		}
		if f, ok := errors.AsType[*failure](err); ok {
			return f
		}
		return &failure{exit: exitFailure, why: err}
	}
}

// report prints an error and gives the exit code.
func (p *program) report(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(p.stderr, "interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(p.stderr, "error: "+err.Error())
	if f, ok := errors.AsType[*failure](err); ok {
		return f.exit
	}
	return exitUsage
}

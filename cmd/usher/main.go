package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"golang.org/x/term"
)

func main() {
	// The Redis client prints lines of its own to stderr, between those of the
	// log. It returns as errors whatever matters.
	logging.Disable()
	// Little is alive at any time: the state is in Redis. Collecting later
	// costs some tens of megabytes and saves a fifth of the processor time.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one has its usual effect: the end, at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// program is usher with everything it takes from its surroundings, so that
// tests run it in their own process.
type program struct {
	env         map[string]string
	stdin       io.Reader
	stdout      io.Writer
	stderr      io.Writer
	interactive bool          // a person can answer questions on stdin
	progress    bool          // stderr is a terminal: lines may be redrawn
	drainPause  time.Duration // between not ready and the closing of the listeners
}

// run runs the command line and returns the exit code. The end of ctx means
// what an interrupt means.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	p := &program{
		env: environment(env), stdin: os.Stdin, stdout: stdout, stderr: stderr,
		interactive: isTerminal(os.Stdin) && isTerminal(stderr), progress: isTerminal(stderr),
		drainPause: 500 * time.Millisecond,
	}
	return p.run(ctx, args)
}

func (p *program) run(ctx context.Context, args []string) int {
	root := newRootCommand(p) //nolint:contextcheck // the commands get ctx from cobra, by ExecuteContext
	root.SetArgs(args)
	return p.report(ctx, root.ExecuteContext(ctx))
}

func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, line := range list {
		if name, value, ok := strings.Cut(line, "="); ok {
			env[name] = value
		}
	}
	return env
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build says which usher this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a changed work tree
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// thisBuild reads what the Go tool wrote into the binary.
func thisBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func newVersionCommand(p *program) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "Show which usher this is", Args: wants(),
		RunE: action(func(_ context.Context, _ *cobra.Command, _ []string) error {
			b := thisBuild()
			return p.print(output, b, func() table {
				return table{rows: [][]string{{"version", b.Version}, {"revision", b.Revision}, {"go", b.Go}, {"platform", b.Platform}}}
			})
		}),
	}
	addOutputFlag(cmd, &output)
	return cmd
}

// agent is how usher's commands name themselves to servers.
func agent() string { return fmt.Sprintf("usher/%s", thisBuild().Version) }

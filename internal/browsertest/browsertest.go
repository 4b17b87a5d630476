package browsertest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Config says how the browser differs from the usual one.
type Config struct {
	AnyCertificate bool          // servers of the test have certificates that nobody signed
	Time           time.Duration // how long the browser may live at most; 0 is 5 minutes
}

// Start starts the browser and returns the context to act in. Without chromium on
// the machine the test is skipped, or fails when the environment variable CI is
// set.
func Start(tb testing.TB, c Config) context.Context {
	tb.Helper()
	bin, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal("chromium is not installed, and CI is set: install it (Debian package chromium)")
		}
		tb.Skip("chromium is not installed: this test needs a browser (Debian package chromium)")
	}
	if c.Time == 0 {
		c.Time = 5 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), c.Time)
	tb.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("ignore-certificate-errors", c.AnyCertificate),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("no-proxy-server", true),
	)...)
	tb.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx)
	tb.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			tb.Errorf("end the browser: %v", err)
		}
	})
	if err := chromedp.Run(ctx); err != nil {
		tb.Fatalf("start the browser: %v", err)
	}
	return ctx
}

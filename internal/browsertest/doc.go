// Package browsertest starts a real browser for tests.
//
// The flow: [Start] finds chromium, starts it without a window and with a profile
// of its own, and ends it when the test ends; what it returns is the context that
// chromedp acts in. Tests open tabs of their own in it.
package browsertest

// Package dextest starts Dex, a real OpenID provider, for tests.
//
// The flow: [Reserve] picks the address, so that others can be told of it before
// the provider runs; [Provider.Start] builds Dex as it is pinned in
// tools/dex/go.mod (the build is cached) and runs it with the clients and users of
// the test until the test ends; [Provider.SignIn] is a person with a browser, who
// follows a link to the provider, types name and password, and is sent back.
package dextest

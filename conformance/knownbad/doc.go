// Package knownbad keeps changes that would break what usher promises, and sees
// to it that some test notices each.
//
// The flow: every file of testdata is one change: why it is bad, the tests that
// must go red, and pieces of source with what stands instead. The test lays the
// changed files over the module (go test -overlay), runs those tests, and fails
// when they stay green, when the change does not compile or its script cannot run,
// or when the piece it replaces is not in the source any more, exactly once. A seed
// makes the run of a fault that shows it best. Nothing of the module is written. Run
// it with
//
//	go test -tags knownbad ./conformance/knownbad
package knownbad

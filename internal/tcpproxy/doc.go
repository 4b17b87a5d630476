// Package tcpproxy stands between a client and its server and does what
// networks do: it is slow, loses answers, goes silent in one direction or both,
// and cuts connections. It knows nothing of what travels through it.
//
// The flow: [New] listens on a free port of 127.0.0.1. Every connection becomes
// a link with two pumps, one for each direction. A pump reads a piece, asks what
// is wrong with the network at the moment ([Proxy.Set], [Proxy.Heal]) and passes
// the piece on, late, slowly, or not at all (fault.go). Beside the weather there
// are marks, which choose single requests by a text in them: their answers are
// swallowed, they do not arrive, or somebody is told of them before they do
// (mark.go).
//
// What a silent direction holds back is passed on when the network is well
// again, as TCP would send it again; bytes are never missing in the middle of a
// connection that lives.
package tcpproxy

// Package bench measures usher against bare handlers.
//
// Absolute figures say little about another machine; ratios measured in one
// run say a lot. The flow of [Run]: it starts a redis-server of its own (or
// takes the one it is given), loads an organization, starts usher and the
// reference handlers R1 and R3 to R6 as HTTP servers on loopback against that
// same Redis, and lets one lean client drive them in turn, round after round.
// The medians are compared with the targets of the design; [Report] holds
// every figure.
//
// The references are net/http handlers that do only what Redis must do for an
// operation: R1 one GET, R3 the commit of a prepared user, R4 a page of ids and
// their records, R5 an equality look-up, R6 a commit of one membership. They
// parse nothing, check nothing and render nothing.
//
// What licences cost is measured last and against usher itself: creation with a
// seat against creation without, usage figures over many holders against those of
// one, and how many users a second a worker settles when a template is given to
// everybody or put on a large group.
package bench

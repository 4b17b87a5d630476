// Package redistest starts real Redis servers for tests.
//
// The flow: [Start] or [Run] picks a free port on 127.0.0.1 and a random
// password, starts redis-server in a temporary directory, waits until it
// answers and stops it when the test ends. [Cluster] makes a Redis Cluster of
// such servers, [Sentinels] a primary with replicas that Sentinels watch. A test never meets a server that
// something else on the machine has started or configured.
package redistest

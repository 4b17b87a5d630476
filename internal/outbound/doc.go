// Package outbound makes requests to addresses that somebody else chose: an
// administrator of an organization says where its issuer's keys lie, and must
// not be able to aim usher at the network it runs in (security O7, W2).
//
// A Client asks for documents only: https, no redirect, no proxy of the
// environment, five seconds, half a megabyte. The address that a name stands
// for is looked at when the connection is made, after resolution, so that a
// name that changes its mind is caught too. What the operator allows is exempt.
package outbound

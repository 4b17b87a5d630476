// Package jsontree reads, edits and writes the JSON bodies of SCIM.
//
// SCIM asks for things the standard decoder does not give together: names
// compared without case, duplicate names refused, numbers kept as written,
// null told apart from absent, and the client's order and spelling preserved.
// A body is parsed once into a tree of Values, checked and edited there, and
// written back by appending to a byte slice.
//
// The flow: [Parse] turns bytes into a [Value] under [Limits]; doors look
// members up with [Value.Get] and change them with [Value.Set] and
// [Value.Delete]; [Value.Append] writes the result. Strings of a parsed tree
// share the memory of one copy of the input, and its values that of one or a
// few allocations, so a small part of a tree keeps all of it alive.
package jsontree

// Package patch reads and applies SCIM PATCH requests (RFC 7644 §3.5.2,
// R-88…R-108), in the strict form of the RFC and in the forms identity
// providers really send (rules L-1…L-31).
//
// The flow: [Engine.Parse] turns the request body into a [Patch] once. Every
// operation is checked there against the resource type: path, mutability of
// what a path names, type of the value. A pathless operation and an object
// under an extension URN are taken apart, each key being a path of its own
// (L-4), so that what remains is a flat list of edits. [Patch.Apply] runs the
// edits in order on a copy of the stored document and validates the result
// whole; an error leaves the document as it was. A patch may be applied many
// times: it never changes, so a unit of work that is run again needs no second
// parse.
//
// Group members are a relation and never part of a document. What a request
// says about them is folded into one [MemberEdit] while parsing, in the order
// of the operations; [Patch.MembersOnly] tells that no document is needed at
// all, so that adding members to a large group reads nothing.
//
// Nothing to do: when the result means the same as the document it started
// from, Apply returns a tree that renders to the same bytes, member order
// included; the caller compares and keeps version and lastModified.
//
// Choices made where the sources are silent or disagree:
//
//   - A value filter that matches nothing: remove, and clearing by value, is
//     done already and succeeds; add and replace answer 400 noTarget,
//     or create the value under the profiles entra and generic (L-7).
//   - Members to remove may be anything that is text: what is no id of a user
//     or group is nobody's and already not there (R-98, L-24). Members to add
//     must be ids (L-25).
//   - L-9 on add: a single-valued attribute is cleared; to a multi-valued one
//     there is nothing to append, so nothing changes.
//   - An add whose type and value pair is there already is merged into that
//     value instead of making a twin; so are values that a replace or a change
//     of a sub-attribute makes alike, the later one into the earlier.
//     Which of several values is primary is decided before (L-31).
//   - replace with a value filter and no sub-attribute replaces the whole
//     matching value, except that what the filter demands of it by eq stays
//     where the new value is silent; add merges into it.
//   - A path to a readOnly attribute is 400 mutability unless the value is the
//     stored one; as a key of a pathless value it is ignored, like id, schemas
//     and meta (R-24, L-21).
//   - Unknown attributes are 400 invalidPath in paths and keys alike; the
//     profile generic ignores them (L-14). password is always ignored (S10).
//   - When manager.value changes and no $ref is given, the old $ref goes with
//     the old value.
package patch

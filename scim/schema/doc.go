// Package schema compiles the SCIM schemas and judges values by them.
//
// The flow: the resource types are declared as elimity scim.ResourceType
// values ([Builtin], and with what an organization declares [Declared]). [NewRegistry]
// compiles them once into [Type], [Schema] and [Attr], which never change
// afterwards and are shared by validation, filters, PATCH, projection, sort
// and discovery. [Type.Check] brings a POST or PUT body, or the result of a
// PATCH, into stored form; [Attr.CheckValue] and [Attr.CheckElement] do the
// same for the value of one PATCH operation; [TakeMembers] and [MemberIDs]
// read group memberships, which are stored beside the document;
// [CheckImmutable] compares a PUT with what is stored. The Append functions
// write the discovery resources.
//
// Stored form is what the client sent: values verbatim, in the client's order
// (domain.md §5.7). Only this is changed:
//
//   - schemas must hold the core URN (R-1, R-2; on the profile onelogin the
//     SCIM 1.1 URN will do, OLG-02). It is stored with the core URN and the
//     extensions that have content, in canonical case, each once; unknown URNs
//     are dropped (L-13), forgotten ones added (L-12).
//   - Names are spelled as the schema spells them (L-3, R-3). A flat
//     "urn:…:User:department" at top level moves into its extension (L-5).
//   - Unknown attributes and sub-attributes, password (S10), and everything
//     readOnly, with id and meta, are dropped without an error (L-14, S7, R-24,
//     R-51, L-21, L-23). The caller puts the id it decided into the document.
//   - null, [] and "" mean unassigned and are dropped (R-6, L-9, L-10); so are
//     an object of which nothing is left, and an object whose content was
//     cleared and that only has type, primary, display or $ref left (ENT-15).
//     An unassigned required attribute is an error.
//   - "True", "false" become booleans where a boolean is expected (L-2).
//   - A single value in place of an array becomes an array of it; an array of
//     one in place of a complex value becomes that value; a plain string in
//     place of a complex value becomes its value sub-attribute (L-8).
//   - An element that repeats type and value of an earlier one is merged into
//     it, one equal to an earlier one dropped. After that more than one
//     primary is an error; on the profile ping the first is kept (L-31).
//
// Types are enforced (400 invalidValue naming the path, the expected type and
// what came, never the content). Limits: [MaxText] bytes for any text,
// [MaxName] for displayName and userName, by which lists are ordered; userName
// and a group's displayName must not be blank or hold control characters
// either. Canonical values are suggestions and not enforced; a reference may
// be any text and need not lead anywhere.
//
// What an organization declares beyond that ([Declared], [Registry.Complete]) is
// compiled the same way and behaves the same. Attributes that an answer does not show by itself
// (returned never or request, writeOnly) make [Type.Hides] true: such a type's
// documents are never sent as stored, and a PUT that does not mention those
// attributes keeps them ([Type.Mentioned]), because a client cannot send back
// what it was not shown.
package schema

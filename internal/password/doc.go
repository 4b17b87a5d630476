// Package password judges new passwords, and makes and compares their hashes.
//
// Rules.Check tells everything that is wrong with a new password at once. A
// Hasher makes PHC strings of argon2id, the same cost each time, and compares
// passwords with them; who has no hash is compared with one that nothing matches,
// so that the time does not tell whether there is somebody. Only so many hashes
// are computed at a time, as each needs memory: who waits too long gets ErrBusy.
//
// Passwords are normalised to NFC before anything is done with them. That is part
// of every hash that was ever stored and must never change. Nothing is cut off: a
// password that is too long is refused.
//
// common.txt lists the passwords that people use most, one a line in byte order,
// in lower case. They are those of @zxcvbn-ts/language-common 4.1.3 that have four
// characters or more; its licence stands in common.LICENSE.
package password

// Package seal keeps small secrets sealed where others may read what is stored,
// and makes values that only who has the key can make again.
//
// A Keys holds the key that seals and older ones that only open, so that keys
// can be exchanged: what is written next is sealed with the new one. Everything
// is bound to a context, a text such as "organization|connection|id": what was
// sealed for one place opens in no other (security X10). Keys for different uses
// are derived from one (HKDF-SHA-256), ciphers are AES-256-GCM with random
// nonces.
package seal

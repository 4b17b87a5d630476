// Package i18n gives rooms the texts that people read, in English and French.
//
// A room embeds a catalog for each language, en.json and fr.json, in the form of
// go-i18n: a key and its text, or its plural forms. Load reads them once and
// refuses what is not complete: a key that one language lacks, a plural form that
// a number can ask for, a text with markup in it. From then on In gives a
// Localizer for a language, which finds texts, fills in values, and writes dates
// as people of that language do.
//
// Which language somebody reads is decided by who asks: Supported looks at
// language tags of a directory, Accepted at what a browser sends.
package i18n

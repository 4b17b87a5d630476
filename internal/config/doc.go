// Package config reads the settings of the program.
//
// The flow: [Load] starts from the defaults and lays over them a strict YAML
// file, the environment (USHER_ and the YAML path in upper snake case; secrets
// also as a _FILE twin that names a file) and the flags, in this order. Each
// layer notes where a value came from. Then everything is checked, and all
// faults of all layers are reported together, each with its setting, its
// origin and a remedy.
//
// The struct [Config] is the one list of settings: YAML names, variables and
// the table of [Settings] are all read from its tags.
package config

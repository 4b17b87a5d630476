package main

import (
	"errors"
	"fmt"

	"github.com/usher-scim/usher/internal/config"
	"github.com/usher-scim/usher/resources"
)

// declaredForAll reads the files of the setting schemas and joins them; nil
// when there are none. The error joins every fault of every file.
func declaredForAll(cfg *config.Loaded) (*resources.Declared, error) {
	var all *resources.Declared
	var faults []error
	for _, path := range cfg.Schemas {
		raw, err := config.ReadFile(path)
		var d *resources.Declared
		if err == nil {
			d, err = resources.ParseDeclared(raw)
		}
		if err == nil {
			var both *resources.Declared
			if both, err = all.Merge(d); err == nil {
				all = both
			}
		}
		faults = append(faults, faultsOf(cfg, path, err)...)
	}
	return all, errors.Join(faults...)
}

// faultsOf tells each fault of a file with its place.
func faultsOf(cfg *config.Loaded, path string, err error) []error {
	list := each(err)
	out := make([]error, len(list))
	for i, err := range list {
		reason := err.Error()
		if e, ok := errors.AsType[*resources.Error](err); ok {
			reason = e.Detail
			if e.Field != "" {
				reason = e.Field + ": " + e.Detail
			}
		}
		out[i] = &config.Fault{Key: "schemas", Origin: cfg.Origin["schemas"], Reason: fmt.Sprintf("%s: %s", path, reason)}
	}
	return out
}

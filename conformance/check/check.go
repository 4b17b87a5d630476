package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Check is one thing a SCIM server has to do.
type Check struct {
	ID      string   // stable name, topic before the slash: "patch/replace-filtered-unmatched"
	Title   string   // a sentence of what must hold
	Sources []string // where that is written: R-103, ENT-11, L-7

	needs []need
	run   func(*session)
}

// need tells why a check cannot be run against this server, or "".
type need func(*announced) Reason

// c makes a check; sources are separated by spaces.
func c(id, title, sources string, run func(*session), needs ...need) Check {
	return Check{ID: id, Title: title, Sources: strings.Fields(sources), needs: needs, run: run}
}

// All lists every check, in the order they are run in.
func All() []Check {
	return slices.Concat(
		discoveryChecks(), schemaChecks(), createChecks(), representationChecks(), commonChecks(), ruleChecks(),
		readChecks(), filterChecks(), sortChecks(), pageChecks(), projectionChecks(),
		putChecks(), patchUserChecks(), patchGroupChecks(), patchErrorChecks(), patchOrderChecks(),
		entraChecks(), oktaChecks(), dialectChecks(), deleteChecks(),
		bulkChecks(), bulkErrorChecks(), searchChecks(), meChecks(), cursorChecks(),
		errorChecks(), authChecks(), etagChecks(), hostileChecks(), customChecks(), characterChecks(), extensionChecks(), ipsieChecks(), lossChecks(),
	)
}

// Select picks checks by a list of ids separated by commas or, when not all of
// its parts are ids, by a regular expression over ids. "" picks all.
func Select(all []Check, only string) ([]Check, error) {
	if only == "" {
		return all, nil
	}
	ids := strings.Split(only, ",")
	known := func(id string) bool {
		return slices.ContainsFunc(all, func(k Check) bool { return k.ID == strings.TrimSpace(id) })
	}
	pick := func(k Check) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return strings.TrimSpace(id) == k.ID })
	}
	if slices.ContainsFunc(ids, func(id string) bool { return !known(id) }) {
		pattern, err := regexp.Compile(only)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a list of ids nor a regular expression: %w", only, err)
		}
		pick = func(k Check) bool { return pattern.MatchString(k.ID) }
	}
	var out []Check
	for _, k := range all {
		if pick(k) {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no check is called %q", only)
	}
	return out, nil
}

// profiles are the dialects that expectations may depend on.
var profiles = [...]string{"rfc", "entra", "okta", "onelogin", "jumpcloud", "ping", "authentik", "generic"}

// Profiles lists the names that Config.Profile may have.
func Profiles() []string { return slices.Clone(profiles[:]) }

func sortByID(checks []Check) {
	slices.SortFunc(checks, func(a, b Check) int { return strings.Compare(a.ID, b.ID) })
}

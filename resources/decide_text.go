package resources

import "strings"

func conflictDetail(w, rival *want) string {
	if w.product.Package && rival.product.Package {
		return "A user has one package: " + w.sku + " cannot be had beside " + rival.sku + "; take one of the two away."
	}
	return "The licences " + w.sku + " and " + rival.sku + " cannot be combined; take one of the two away."
}

func prerequisiteDetail(w *want) string {
	return "The licence " + w.sku + " needs " + oneOf(w.product.Requires) + " beside it; give the user that first."
}

// oneOf lists alternatives: "a, b or c".
func oneOf(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

package resources

import "context"

// settleCalling decides what a user gets to call with (BR-190 … BR-200). Nothing
// is asked of the commit before Apply is called. p is nil at deletion only.
func (d *Directory) settleCalling(_ context.Context, _ Tx, _ *Plan, _ *knowledge, in callingCase) (callingResult, error) {
	if !in.Wants {
		return callingResult{Ready: true}, nil
	}
	return callingResult{After: in.Before, Issues: []Issue{{Code: CodeNumberOrExtension, Attribute: "phoneNumber", Detail: "Give the user a number or an extension.", Since: in.Now}}}, nil
}

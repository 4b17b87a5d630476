package resources

// CSVCell makes a text safe as a cell of CSV: what begins with one of these signs,
// or its fullwidth form, is a formula to a spreadsheet, which would run it. It
// gets an apostrophe in front, numbers with a sign too (security X7). Quoting is
// the writer's.
func CSVCell(text string) string {
	for _, first := range text {
		switch first {
		case '=', '+', '-', '@', '\t', '\r', '\n', '\uff1d', '\uff0b', '\uff0d', '\uff20':
			return "'" + text
		}
		break
	}
	return text
}

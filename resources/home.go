package resources

// Two records about an organization stand in the platform: the organization
// itself and its declaration. Who moves an organization to another store takes
// them along.

// HomeOf tells which organization a record of the platform is about; false for
// all others.
func HomeOf(rec *Record) (OrgID, bool) {
	switch {
	case rec.Kind == KindOrg:
		return OrgID(rec.ID), true
	case rec.Kind == KindSetting && nounOf(rec) == nounDeclared && len(rec.ID) == idLength:
		return OrgID(ownerOf(rec.ID, KindOrg)), true
	}
	return "", false
}

// HomeRecords are the ids of the records that the platform may have about an
// organization. The organization's own is the last one: what it names is there
// when it appears.
func HomeRecords(org OrgID) []string {
	if kind, ok := KindOf(string(org)); !ok || kind != KindOrg {
		return nil // the platform
	}
	return []string{settingID(string(org)), string(org)}
}

// OrganizationIn reads the record of an organization.
func OrganizationIn(rec *Record) (*Organization, error) { return orgOf(rec) }

// ownerOf is an id with the kind exchanged.
func ownerOf(id string, kind Kind) string {
	last := byte(0)
	for i := range len(idAlphabet) {
		if idAlphabet[i] == id[idLength-1] {
			last = byte(i)
		}
	}
	return id[:idLength-1] + string(idAlphabet[last&^7|byte(kind)])
}

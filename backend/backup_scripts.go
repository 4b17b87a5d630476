package backend

import _ "embed" // the scripts are files

//go:embed scripts/backup_mark.lua
var backupMarkLua string

//go:embed scripts/backup_noted.lua
var backupNotedLua string

//go:embed scripts/restore.lua
var restoreLua string

//go:embed scripts/restore_mark.lua
var restoreMarkLua string

//go:embed scripts/restore_claim.lua
var restoreClaimLua string

// backupScripts are the scripts of Backup and Restore.
type backupScripts struct {
	mark, noted                        script
	restore, restoreMark, restoreClaim script
}

func newBackupScripts(make func(body, flags string) script) backupScripts {
	const frees = " flags=allow-oom"
	return backupScripts{
		mark: make(backupMarkLua, frees), noted: make(backupNotedLua, frees),
		restore: make(restoreLua, ""), restoreMark: make(restoreMarkLua, frees), restoreClaim: make(restoreClaimLua, ""),
	}
}

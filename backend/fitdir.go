package backend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// probeSize is what is written to see whether a directory takes it: a block.
const probeSize = 4096

// checkDirectory sees whether a data directory can be written, by a file that is
// removed at once. What is in the directory is not looked at: a server may use it.
func checkDirectory(dir string) Check {
	const name = "data directory"
	at, err := filepath.Abs(dir)
	if err != nil {
		at = dir
	}
	where, made := at, "it can be written"
	for {
		info, err := os.Stat(where)
		if err == nil && !info.IsDir() {
			return Check{
				Name: name, State: CheckFail, Detail: where + " is no directory",
				Remedy: "choose another one with --data-dir",
			}
		}
		if err == nil || filepath.Dir(where) == where {
			break
		}
		where, made = filepath.Dir(where), "it is not there yet; usher serve makes it"
	}
	if err := probe(where); err != nil {
		return Check{
			Name: name, State: CheckFail,
			Detail: fmt.Sprintf("%s cannot be written: %v", at, err),
			Remedy: "see that the disk has room and is not read-only, and that usher may write there, or choose another directory with --data-dir",
		}
	}
	return good(name, "%s: %s", at, made)
}

// probe writes a file into a directory, and removes it.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".usher-doctor-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

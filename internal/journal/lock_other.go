//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package journal

import (
	"errors"
	"os"
)

var errLocked = errors.New("locked")

func takeLock(string) (*os.File, error) {
	return nil, errors.New("this system has no locks that end with the process")
}

func syncDirectory(string) error { return errors.ErrUnsupported }

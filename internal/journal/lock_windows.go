package journal

import (
	"errors"
	"os"
	"syscall"
)

var errLocked = errors.New("locked")

const sharingViolation syscall.Errno = 32

// takeLock opens a file that nobody else may write until it is closed; the system
// closes it when the process ends, however it does.
func takeLock(file string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(file)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errLocked
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: file, Err: err}
	}
	return os.NewFile(uintptr(h), file), nil
}

// syncDirectory does nothing: the system writes names with the files.
func syncDirectory(string) error { return nil }

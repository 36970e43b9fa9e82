package control

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// socketName is the socket's name in the data directory.
const socketName = "control.sock"

// pathLimit is how long a socket's address may be on every system: the kernel keeps it in a field
// of 104 bytes or more, with a zero byte at its end.
const pathLimit = 103

// address is a name of the socket that is short enough to be one. A long one is reached through a
// descriptor of its directory, where the system shows those as files; it is good until release.
func address(dir string) (path string, release func() error, err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= pathLimit {
		return path, func() error { return nil }, nil
	}
	directory, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	short := fmt.Sprintf("/proc/self/fd/%d", directory.Fd())
	if _, err := os.Stat(short); err != nil {
		return "", nil, errors.Join(fmt.Errorf("%s is %d bytes long, and the address of a socket has at most %d: "+
			"choose a shorter data directory", path, len(path), pathLimit), directory.Close())
	}
	return filepath.Join(short, socketName), directory.Close, nil
}

package ledger

import (
	"errors"
	"fmt"
	"os"
)

// errGone means that what is written now would not be found at the next start.
var errGone = errors.New("the ledger's file is not the one that was opened")

// watchFile returns a function that tells whether the file of this name is still the one it is now.
// SQLite goes on writing to a file that was renamed or deleted, as a data directory may be, and a claim
// in such a file is lost with the process.
func watchFile(path string) (present func() error, err error) {
	opened, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return func() error {
		now, err := os.Stat(path)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w; put it back, or restart automatond", errGone, err)
		case !os.SameFile(opened, now):
			return fmt.Errorf("%w: another is in the place of %s; restart automatond", errGone, path)
		}
		return nil
	}, nil
}

package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// lockPoll is how often a directory in use is tried again.
const lockPoll = 100 * time.Millisecond

// lockDir takes the directory for this process, until the returned file is closed. When another
// process has it, lockDir waits, because a restart often overlaps with the end of what it replaces.
func lockDir(ctx context.Context, dir string, wait time.Duration, log zerolog.Logger) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(ctx, file, wait, log.With().Str("directory", dir).Logger()); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), file.Close())
	}
	// The process id is for people who find the directory locked; nothing depends on it.
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return file, nil
}

func flock(ctx context.Context, file *os.File, wait time.Duration, log zerolog.Logger) error {
	deadline := time.Now().Add(wait)
	for waited := false; ; waited = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return err
		case !time.Now().Before(deadline):
			return fmt.Errorf("%w by %s: one data directory serves one process", ErrLocked, holder(file))
		}
		if !waited {
			log.Warn().Str("holder", holder(file)).Dur("wait", wait).Msg("data directory in use, waiting for it")
		}
		select {
		case <-time.After(min(lockPoll, time.Until(deadline))):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// holder names the process that wrote its id into the lock file.
func holder(file *os.File) string {
	buf := make([]byte, 20)
	n, _ := file.ReadAt(buf, 0)
	if pid := strings.TrimSpace(string(buf[:n])); pid != "" {
		return "process " + pid
	}
	return "another process"
}

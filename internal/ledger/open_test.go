package ledger

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestOpen_WaitsForADirectoryInUseThenSaysSo(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	var log bytes.Buffer
	started := time.Now()
	_, err := Open(t.Context(), Options{Dir: dir, LockWait: 250 * time.Millisecond, Logger: zerolog.New(&log)})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("error = %v, want ErrLocked with the directory and the process", err)
	}
	if waited := time.Since(started); waited < 250*time.Millisecond {
		t.Errorf("gave up after %s", waited)
	}
	if got := strings.Count(log.String(), "data directory in use"); got != 1 {
		t.Errorf("%d log lines say that it waits, want 1: %s", got, &log)
	}
}

func TestOpen_TakesADirectoryThatIsLeftWhileItWaits(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	var log signalWriter = make(chan string, 10)
	opened := make(chan error)
	go func() {
		l, err := Open(context.Background(), Options{Dir: dir, LockWait: time.Minute, Logger: zerolog.New(log)})
		if err == nil {
			err = l.Close()
		}
		opened <- err
	}()
	<-log // it waits
	must(t, l.Close())
	if err := <-opened; err != nil {
		t.Errorf("Open = %v", err)
	}
}

type signalWriter chan string

func (w signalWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func TestOpen_StopsWaitingWithItsContext(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := Open(ctx, Options{Dir: dir, LockWait: time.Minute}); !errors.Is(err, stop) {
		t.Errorf("error = %v, want the cause", err)
	}
}

func TestOpen_RefusesANewerSchema(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		must(t, l.write(t.Context(), opHeartbeat, "pretend", 1, func(s *session) error {
			_, err := s.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)`)
			return err
		}))
		must(t, l.Close())
		_, err := Open(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "schema version 999 and this automatond knows up to ") || !strings.Contains(err.Error(), ": run the newer automatond") {
			t.Errorf("error = %v", err)
		}
		// Refused, the directory is free again and the file is what it was.
		if _, err := Open(t.Context(), o); errors.Is(err, ErrLocked) {
			t.Errorf("the lock was kept: %v", err)
		}
	})
}

func TestOpen_LeavesADamagedFileAlone(t *testing.T) {
	for name, damage := range map[string]func([]byte){
		"header":             func(b []byte) { copy(b, "this is no database at all") },
		"first page":         func(b []byte) { copy(b[100:], bytes.Repeat([]byte{0xff}, 3000)) },
		"the version's page": func(b []byte) { copy(b[4096:], bytes.Repeat([]byte{0xa5}, 4*4096)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, Options{Dir: dir})
			mustRun(t, l, "a", slotTime, "main")
			must(t, l.Close())
			path := filepath.Join(dir, "ledger.db")
			content, err := os.ReadFile(path)
			must(t, err)
			damage(content)
			must(t, os.WriteFile(path, content, 0o600))

			_, err = Open(t.Context(), Options{Dir: dir})
			if err == nil {
				t.Fatal("a damaged file was opened")
			}
			for _, want := range []string{path, "is damaged and was left as it is", ".recover", "move ledger.db"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q: %v", want, err)
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
				t.Errorf("the damaged file was changed: %v", err)
			}
		})
	}
}

func TestLedger_SaysWhatToDoWhenItsFileIsDamagedWhileOpen(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	for i := range 200 {
		mustClaim(t, l, "a", claimOf(slotTime.Add(time.Duration(i)*time.Minute)))
	}
	must(t, l.Close())
	path := filepath.Join(dir, "ledger.db")
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	size, err := file.Seek(0, 2)
	must(t, err)
	_, err = file.WriteAt(bytes.Repeat([]byte{0xa5}, int(size-2*4096)), 2*4096)
	must(t, errors.Join(err, file.Close()))

	l, err = Open(t.Context(), Options{Dir: dir})
	if err == nil {
		defer l.Close()
		_, err = l.Claim(t.Context(), "a", []Claim{claimOf(slotTime.Add(-time.Hour), "main")})
	}
	if err == nil || !strings.Contains(err.Error(), "is damaged and was left as it is") {
		t.Errorf("error = %v", err)
	}
}

func TestOpen_NamesAnUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := Open(t.Context(), Options{Dir: filepath.Join(file, "data")}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error = %v, want the path named", err)
	}
}

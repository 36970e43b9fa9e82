package secret

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// maxFile bounds how much of a secret's file is read, so that a path to a device or a log by
// mistake does not fill the memory. API tokens are far below 1 KiB.
const maxFile = 64 << 10 // bytes

// Source says where a secret comes from: an environment variable, read once when the
// configuration was loaded, or a file, read again at every call. The zero Source has no secret.
type Source struct {
	Env  string // the variable's name, "" for a file
	File string // the file's path, "" for a variable

	value Secret
}

// FromEnv is the secret that the environment variable name had when the configuration was loaded.
func FromEnv(name, value string) Source {
	return Source{Env: name, value: New(strings.TrimSpace(value))}
}

// FromFile is the secret in the file at path.
func FromFile(path string) Source { return Source{File: path} }

// IsZero reports whether the source names neither a variable nor a file.
func (s Source) IsZero() bool { return s.Env == "" && s.File == "" }

// Read returns the secret, without the white space around it. A file is read at every call, so a
// rotated token is seen. An empty secret is an error.
func (s Source) Read() (Secret, error) {
	if s.File != "" {
		return readFile(s.File)
	}
	if s.Env == "" {
		return Secret{}, fmt.Errorf("read secret: no source is configured")
	}
	if s.value.IsZero() {
		return Secret{}, fmt.Errorf("read secret: variable %s is empty", s.Env)
	}
	return s.value, nil
}

// Equal reports whether both sources give the same secret: they name the same file, or the same
// variable, which had the same value.
func (s Source) Equal(o Source) bool {
	return s.Env == o.Env && s.File == o.File && s.value.Reveal() == o.value.Reveal()
}

// String names the source, never its value: "file /run/secrets/token" or "variable TOKEN".
func (s Source) String() string {
	switch {
	case s.File != "":
		return "file " + s.File
	case s.Env != "":
		return "variable " + s.Env
	default:
		return "nowhere"
	}
}

func readFile(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("read secret: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("read secret: %w", err)
	case len(raw) > maxFile:
		return Secret{}, fmt.Errorf("read secret: file %s is larger than %d KiB", path, maxFile>>10)
	}
	value := strings.TrimSpace(string(raw))
	if value == "" {
		return Secret{}, fmt.Errorf("read secret: file %s is empty", path)
	}
	return New(value), nil
}

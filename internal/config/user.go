package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/automatond/automatond/internal/secret"
	"gopkg.in/yaml.v3"
)

// credentialsDirectory is where systemd puts what LoadCredential= names.
const credentialsDirectory = "CREDENTIALS_DIRECTORY"

// userEntry is one entry under `automation_users:`.
type userEntry struct {
	reader
	name      string
	tokenFile string
	tokenEnv  string
	inFlight  int
	invalid   bool
}

func userFields() []field[userEntry] {
	return []field[userEntry]{
		{"token_file", "path", "`$CREDENTIALS_DIRECTORY/<user>`", func(r reader, u *userEntry, v *yaml.Node) {
			path, ok := r.text(v)
			u.invalid = u.invalid || !ok || !r.checkTokenFile(v, path)
			u.tokenFile = path
		}},
		{"token_env", "name of a variable", "", func(r reader, u *userEntry, v *yaml.Node) {
			name, ok := r.text(v)
			if ok && (!isVariableName(name) || name != strings.ToUpper(name)) {
				r.errorf(r.value(v), "token-env-invalid", "write the variable's name alone, such as BOT_TOKEN: no $, no small letters, never the token itself",
					"the value is not the name of an environment variable")
				ok = false
			}
			u.invalid = u.invalid || !ok
			u.tokenEnv = name
		}},
		{"max_in_flight", "whole number, 1-65536", "`api.max_in_flight`", func(r reader, u *userEntry, v *yaml.Node) {
			if n, ok := r.integer(v, 1, 1<<16); ok {
				u.inFlight = n
			}
		}},
	}
}

// checkTokenFile refuses what is probably the token itself.
func (r reader) checkTokenFile(v *yaml.Node, path string) bool {
	rest, _ := strings.CutPrefix(path, "$"+credentialsDirectory+"/")
	switch {
	case !strings.Contains(path, "/"):
		r.errorf(r.value(v), "token-file-invalid", "write a path, such as ./name for a file beside this one, never the token itself",
			"the value is not a path: it has no slash")
	case strings.HasPrefix(path, "~"):
		r.errorf(r.value(v), "token-file-invalid", "write the path in full", "~ at the start of a path is not replaced")
	case strings.Contains(rest, "$"):
		r.errorf(r.value(v), "token-file-invalid", "write the path in full",
			"only $%s at the start of a path is replaced", credentialsDirectory)
	default:
		return true
	}
	return false
}

func (l *loader) addUser(r reader, name string, value *yaml.Node) {
	if !isLabel(name) {
		r.errorf(r.key, "user-name", "use letters, digits, dots, dashes and underscores",
			"%s is not usable as a name", plainOrQuoted(name))
		return
	}
	if !r.once("automation_users", name, "user-duplicate") {
		return
	}
	u := &userEntry{reader: r, name: name}
	l.users = append(l.users, u)
	if !isNull(value) && !section(r, value, userFields(), u) {
		u.invalid = true
	}
	if u.tokenFile != "" && u.tokenEnv != "" {
		r.errorf(r.key, "token-conflict", "keep one of them", "token_file and token_env are both there")
		u.invalid = true
	}
}

// isLabel reports whether a name is a plain word: it becomes a metric's label and the name of a
// credential.
func isLabel(name string) bool {
	for i, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case i > 0 && (c == '-' || c == '.'):
		default:
			return false
		}
	}
	return name != "" && len(name) <= 100
}

// finishUsers finds every user's token. Where no user is configured there is one, as for the
// vendor's CLI.
func (l *loader) finishUsers() {
	if len(l.users) == 0 {
		l.config.Users = []*User{{Name: DefaultUser, Token: l.defaultToken()}}
		return
	}
	for _, u := range l.users {
		l.config.Users = append(l.config.Users, &User{Name: u.name, Token: l.configuredToken(u), MaxInFlight: u.inFlight, Source: u.position(u.key)})
	}
}

func (l *loader) configuredToken(u *userEntry) secret.Source {
	switch {
	case u.invalid:
		return secret.Source{}
	case u.tokenEnv != "":
		value := l.env(u.tokenEnv)
		if value == "" && l.needsNamedToken() {
			u.errorf(u.key, "token-missing", "set the variable to the automation user's API token", "variable %s is not set", u.tokenEnv)
		}
		return secret.FromEnv(u.tokenEnv, value)
	case u.tokenFile != "":
		return l.tokenFile(u, u.src.relativeTo(u.tokenFile, l.env(credentialsDirectory)))
	}
	directory := l.env(credentialsDirectory)
	if directory == "" {
		if l.needsToken() {
			u.errorf(u.key, "token-missing", "write token_file: with a path, or token_env: with the name of a variable",
				"the automation user has no token")
		}
		return secret.Source{}
	}
	return l.tokenFile(u, filepath.Join(directory, u.name))
}

// relativeTo is relative for a path that may begin with $CREDENTIALS_DIRECTORY.
func (s *source) relativeTo(path, credentials string) string {
	rest, ok := strings.CutPrefix(path, "$"+credentialsDirectory+"/")
	if !ok {
		return s.relative(path)
	}
	if credentials == "" {
		return path
	}
	return filepath.Join(credentials, rest)
}

func (l *loader) tokenFile(u *userEntry, path string) secret.Source {
	if l.needsNamedToken() {
		if err := readable(path); err != nil {
			hint := "write the automation user's API token to the file"
			if strings.HasPrefix(path, "$") {
				hint = credentialsDirectory + " is not set; it is systemd that sets it, for units with LoadCredential="
			}
			u.errorf(u.key, "token-missing", hint, "token file %s cannot be read: %v", path, err)
		}
	}
	return secret.FromFile(path)
}

// readable says why a file could not be read, without its name. Nothing but a plain file is opened, because
// a pipe would be used up by it.
func readable(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return errors.New("is a directory")
	}
	if err == nil && info.Mode().IsRegular() {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			return f.Close()
		}
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// The variables in which the vendor's CLI takes an API token, one for each of its brands.
const (
	tokenPlatformsh = "PLATFORMSH_CLI_TOKEN"
	tokenUpsun      = "UPSUN_CLI_TOKEN"
)

// defaultToken takes the API token where the vendor's CLI takes it, or from systemd.
func (l *loader) defaultToken() secret.Source {
	platformsh, upsun := l.env(tokenPlatformsh), l.env(tokenUpsun)
	switch {
	case platformsh != "" && upsun != "" && platformsh != upsun && l.needsToken():
		l.processError("token-conflict", "unset one of them, or configure automation_users:",
			"variables "+tokenPlatformsh+" and "+tokenUpsun+" hold different tokens")
	case platformsh != "":
		return secret.FromEnv(tokenPlatformsh, platformsh)
	case upsun != "":
		return secret.FromEnv(tokenUpsun, upsun)
	}
	if directory := l.env(credentialsDirectory); directory != "" {
		path := filepath.Join(directory, DefaultUser)
		if _, err := os.Stat(path); err == nil {
			return secret.FromFile(path)
		}
	}
	if !l.needsToken() {
		return secret.Source{}
	}
	const hint = "set " + tokenPlatformsh + " or " + tokenUpsun + " to an automation user's API token, or configure automation_users:"
	for _, name := range []string{"PLATFORMSH_CLI_API_TOKEN", "UPSUN_CLI_API_TOKEN"} {
		if l.env(name) != "" {
			l.processError("token-access", hint, "variable "+name+" holds an access token, which ends after minutes and cannot be renewed")
			return secret.Source{}
		}
	}
	if platformsh == "" && upsun == "" {
		l.processError("token-missing", hint, "there is no API token")
	}
	return secret.Source{}
}

// needsToken reports whether a token that is missing now is an error.
func (l *loader) needsToken() bool { return !l.in.Sandbox && !l.in.Offline && !l.unread }

// needsNamedToken is needsToken for one that an automation user names.
func (l *loader) needsNamedToken() bool { return l.needsToken() && !l.in.LateTokens }

// env returns a variable of the process without the white space around it, "" if it is not set.
func (l *loader) env(name string) string {
	value, _ := l.in.LookupEnv(name)
	return strings.TrimSpace(value)
}

// processError reports what is wrong about the process rather than about a file.
func (l *loader) processError(code, hint, message string) {
	l.add(Diagnostic{Severity: Error, Code: code, Message: message, Hint: hint})
}

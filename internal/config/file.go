package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// fileFields is the top level of a file.
func fileFields() []field[loader] {
	api := unique("api", apiFields())
	defaults := unique("defaults", policyFields())
	history := unique("history", historyFields())
	return []field[loader]{
		{"crons", "section", "", func(r reader, l *loader, v *yaml.Node) {
			entry := r
			entry.path = ""
			r.mapping(v, func(key, value *yaml.Node) { l.addCron(entry, key, value) })
		}},
		{"projects", "section", "the sidecar's project", func(r reader, l *loader, v *yaml.Node) {
			l.fleet = true
			if n := r.value(v); n != nil && n.Kind == yaml.MappingNode && len(n.Content) == 0 {
				r.missing()
			}
			r.mapping(v, func(key, value *yaml.Node) { l.addProject(r.at(key), key.Value, value) })
		}},
		{"automation_users", "section", "one user `default`", func(r reader, l *loader, v *yaml.Node) {
			r.optionalMapping(v, func(key, value *yaml.Node) { l.addUser(r.at(key), key.Value, value) })
		}},
		{"variables", "texts by name", "", func(r reader, l *loader, v *yaml.Node) {
			r.readVariables(v, &l.vars, true)
		}},
		{"defaults", "section", "", func(r reader, l *loader, v *yaml.Node) {
			if !isNull(v) {
				section(r, v, defaults, &l.defaults)
			}
		}},
		{"timezone", "time zone", "`defaults.timezone`", func(r reader, l *loader, v *yaml.Node) {
			if r.once("defaults", "timezone", "setting-duplicate") {
				r.readZone(v, &l.defaults)
			}
		}},
		{"api", "section", "", func(r reader, l *loader, v *yaml.Node) {
			if !isNull(v) {
				section(r, v, api, l.config)
			}
		}},
		{"history", "section", "", func(r reader, l *loader, v *yaml.Node) {
			if !isNull(v) {
				section(r, v, history, &l.history)
			}
		}},
		{"discovery_interval", "duration, 10s to 24h", "`10m`", func(r reader, l *loader, v *yaml.Node) {
			if !r.once("", "discovery_interval", "setting-duplicate") {
				return
			}
			if d, ok := r.duration(v, 10*time.Second, 24*time.Hour); ok {
				l.config.DiscoveryInterval = d
			}
		}},
		{"shutdown_grace", "duration, at most 10m", "`8s`", func(r reader, l *loader, v *yaml.Node) {
			if !r.once("", "shutdown_grace", "setting-duplicate") {
				return
			}
			if d, ok := r.duration(v, 0, 10*time.Minute); ok {
				l.config.ShutdownGrace = d
			}
		}},
	}
}

// apiFields is the section `api:`.
func apiFields() []field[Config] {
	return []field[Config]{
		{"url", "URL", "`" + standardAPI + "`", func(r reader, c *Config, v *yaml.Node) { r.readURL(v, &c.APIURL) }},
		{"auth_url", "URL", "`" + standardAuth + "`", func(r reader, c *Config, v *yaml.Node) { r.readURL(v, &c.AuthURL) }},
		{"ca_file", "path", "none", func(r reader, c *Config, v *yaml.Node) {
			if path, ok := r.text(v); ok {
				c.CAFile = r.src.relative(path)
			}
		}},
		{"max_in_flight", "whole number, 1-65536", "`4096`", func(r reader, c *Config, v *yaml.Node) {
			if n, ok := r.integer(v, 1, 1<<16); ok {
				c.Limits.InFlight = n
			}
		}},
		{"max_in_flight_per_project", "whole number, 1-65536", "`4`", func(r reader, c *Config, v *yaml.Node) {
			if n, ok := r.integer(v, 1, 1<<16); ok {
				c.Limits.PerProject = n
			}
		}},
		{"requests_per_second", "number; 0 is no limit", "`0`", func(r reader, c *Config, v *yaml.Node) {
			if n, ok := r.number(v, 1e6); ok {
				c.Limits.RequestsPerSecond = n
			}
		}},
	}
}

func (r reader) readURL(v *yaml.Node, into *string) {
	text, ok := r.text(v)
	if !ok {
		return
	}
	base, problem, hint := parseBase(text)
	if problem != "" {
		r.errorf(r.value(v), "endpoint-invalid", hint, "%s", problem)
		return
	}
	if insecure(base) {
		r.report(Warning, r.value(v), "endpoint-insecure", "use https://", "the token would cross the network unencrypted")
	}
	*into = base
}

// parseBase checks the base URL of an endpoint. The problem never repeats the URL, which may
// contain a password.
func parseBase(text string) (base, problem, hint string) {
	const example = "write a URL such as " + standardAPI
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "", "it is not a URL with a host", example
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Sprintf("scheme %q is neither https nor http", u.Scheme), example
	case u.User != nil:
		return "", "it contains a user name or a password, which automatond never sends", example
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", "it has a query or a fragment, and paths are added to it", example
	}
	return strings.TrimRight(text, "/"), "", ""
}

// insecure reports whether requests to base leave the machine unencrypted.
func insecure(base string) bool {
	u, err := url.Parse(base)
	if err != nil || u.Scheme == "https" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// relative resolves a path that is written in the file: it is relative to the file's directory.
func (s *source) relative(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.path), path)
}

// readVariables adds a section of variables to into. Values are kept as they are written.
func (r reader) readVariables(v *yaml.Node, into *map[string]string, shared bool) {
	r.optionalMapping(v, func(key, value *yaml.Node) {
		at := r.at(key)
		if !isVariableName(key.Value) {
			at.errorf(key, "variable-name", variableNameHint(key.Value), "%s is not the name of a variable", plainOrQuoted(key.Value))
			return
		}
		if reserved(key.Value) {
			at.errorf(key, "variable-reserved", "leave it out: its value comes from the environment that a run is for",
				"it cannot be set")
			return
		}
		if isTokenVariable(key.Value) {
			at.errorf(key, "token-in-variables", "leave it out, and name the token's source under `automation_users`",
				"a token has no place among the variables: they are kept with each run")
			return
		}
		if shared && !at.once("variables", key.Value, "setting-duplicate") {
			return
		}
		text, ok := at.text(value)
		if ok && strings.IndexByte(text, 0) >= 0 {
			at.errorf(at.value(value), "variable-value", "", "the value contains a zero byte")
			ok = false
		}
		if ok {
			if *into == nil {
				*into = map[string]string{}
			}
			(*into)[key.Value] = text
		}
	})
}

// variableNameHint says what to write instead. The platform's own names of variables have a prefix,
// and only those with env: are variables of the shell there.
func variableNameHint(name string) string {
	prefix, rest, prefixed := strings.Cut(name, ":")
	switch {
	case prefixed && prefix == "env" && isVariableName(rest):
		return "write " + rest + ": what is called " + name + " on the platform, a script reads as $" + rest
	case prefixed && isVariableName(prefix):
		return "leave it out: what has such a name on the platform is no variable that a script could read"
	}
	return "use letters, digits and underscores, and begin with no digit"
}

// reserved reports the variables that every script has from its target.
func reserved(name string) bool {
	switch name {
	case "PLATFORM_PROJECT", "PLATFORM_BRANCH", "PLATFORM_ENVIRONMENT", "PLATFORM_ENVIRONMENT_TYPE",
		"PLATFORM_APPLICATION_NAME":
		return true
	}
	return false
}

// isTokenVariable reports the variables from which the vendor's CLI takes a token.
func isTokenVariable(name string) bool {
	switch name {
	case "PLATFORMSH_CLI_TOKEN", "PLATFORMSH_CLI_API_TOKEN", "UPSUN_CLI_TOKEN", "UPSUN_CLI_API_TOKEN":
		return true
	}
	return false
}

func isVariableName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

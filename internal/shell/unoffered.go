package shell

import (
	"slices"
	"strings"
)

// unofferedHint says what to do instead of a command that the CLI has and automatond does not, by the
// CLI's own name for it.
func unofferedHint(command string) string {
	section, _, _ := strings.Cut(command, ":")
	verb := command[strings.LastIndexByte(command, ':')+1:]
	switch {
	case command == "environment:list":
		return "remove the loop: a cron exists for every environment, and conditions on PLATFORM_BRANCH and PLATFORM_ENVIRONMENT_TYPE choose among them"
	case slices.Contains(sessionSections, section):
		return "remove it: the automation user's token is configured once, and nothing else of the CLI's has to be prepared"
	case slices.Contains(containerSections, section), slices.Contains(containerVerbs, verb):
		return "leave it to a cron of its own in the container: it goes over SSH or works on files, and only the API is used here"
	case slices.Contains(readingVerbs, verb), section == "metrics", section == "repo":
		return "remove it: it only prints something, which nobody reads here; `automatond runs` shows what was asked for"
	}
	return "a cron with the task api can ask for anything that the API offers below the project"
}

var (
	sessionSections   = []string{"auth", "bot", "clear-cache", "completion", "config", "console", "decode", "docs", "help", "init", "legacy-migrate", "list", "multi", "self", "session", "ssh-cert", "ssh-key", "version", "welcome"}
	containerSections = []string{"archive", "db", "local", "mount", "server", "service", "tunnel"}
	containerVerbs    = []string{"checkout", "drush", "push", "scp", "set-remote", "ssh", "xdebug"}
	readingVerbs      = []string{"config-get", "config-validate", "get", "info", "list", "log", "logs", "relationships", "url", "validate"}
)

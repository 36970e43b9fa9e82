package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/automatond/automatond/internal/guard"
	"gopkg.in/yaml.v3"
)

// suggest says what to write instead of a key that is not known: what it is called here, or where
// it belongs.
func (r reader) suggest(key, value *yaml.Node, known []string) string {
	word := strings.ToLower(key.Value)
	switch {
	case r.app != nil && slices.Contains(names(r.fields.cron), word):
		return "the platform does not know it: write the cron in a file of automatond's own"
	case r.app != nil:
	case r.cron != "" && r.path == "":
		if hint := suggestInCron(word, value); hint != "" {
			return hint
		}
	case r.inTask() != "" && slices.Contains([]string{"branch", "branches", "environment", "environments", "project", "projects"}, word):
		return "leave it out: a task acts on the environment that the run is for, and only: chooses those"
	case r.path == "defaults" && slices.Contains(names(r.fields.cron), word):
		return "write it in each cron; what several share can stand under x-shared: &shared, and in each of them <<: *shared"
	case r.path == "only" || r.path == "except":
		if hint := suggestInCondition(word, value); hint != "" {
			return hint
		}
	}
	if s := synonym(word); slices.Contains(known, s) {
		return fmt.Sprintf("write %s: instead of %s:", s, key.Value)
	}
	return didYouMean(key.Value, known)
}

// suggestInCron knows what people write in a cron that belongs somewhere else in it.
func suggestInCron(word string, value *yaml.Node) string {
	// A branch beside a task is rather where the cron is to run.
	if kind := kindFor(word); kind != nil && word != "branch" {
		return fmt.Sprintf("write task: {%s: {}}", kind.Name)
	}
	switch word {
	case "tasks", "type", "action", "actions", "operation", "job", "do":
		return "write " + taskExample(value)
	case "branch", "branches", "on", "only_branches":
		return "write only: {branches: " + asList(value, "main") + "}"
	case "environment", "environments":
		return "write only: {" + conditionOn(value) + "}"
	case "environment_type", "environment_types", "environment-type":
		return "write only: {environment_types: " + asList(value, "production") + "}"
	case "if", "when", "condition", "rules":
		return "write only: with the branches it runs on, such as only: {branches: [main]}"
	case "name", "id":
		return "leave it out: the key above is the cron's name"
	case "description", "comment", "note", "label", "title":
		return "write it as a comment: a line that begins with #"
	case "enabled", "active":
		return "write suspended: true to stop the cron, or leave it out"
	}
	return ""
}

func suggestInCondition(word string, value *yaml.Node) string {
	switch word {
	case "branch", "name", "names", "ref", "refs":
		return "write branches: " + asList(value, "main")
	case "environment", "environments":
		return "write " + conditionOn(value)
	case "type", "types", "environment_type", "environment-type":
		return "write environment_types: " + asList(value, "production")
	}
	return ""
}

// conditionOn takes a value for branches, unless it lists types of environments.
func conditionOn(value *yaml.Node) string {
	list := entries(value)
	foreign := func(n *yaml.Node) bool { return !slices.Contains(guard.EnvironmentTypes(), n.Value) }
	if len(list) > 0 && !slices.ContainsFunc(list, foreign) {
		return "environment_types: " + asList(value, "")
	}
	return "branches: " + asList(value, "main")
}

// taskExample is a task section, with the kind that the value names if it names one.
func taskExample(value *yaml.Node) string {
	if value.Kind == yaml.SequenceNode && len(value.Content) > 1 {
		return "steps: with the tasks in their order, such as " + stepsExample
	}
	if value.Kind == yaml.SequenceNode && len(value.Content) > 0 {
		value = value.Content[0]
	}
	if value.Kind == yaml.MappingNode && len(value.Content) > 0 {
		value = value.Content[0]
	}
	if kind := kindFor(value.Value); kind != nil {
		return fmt.Sprintf("task: {%s: {}}", kind.Name)
	}
	return "task: with what to do, such as task: {backup: {}}"
}

// entries are those of a list, or a single value.
func entries(value *yaml.Node) []*yaml.Node {
	if value.Kind == yaml.SequenceNode {
		return value.Content
	}
	return []*yaml.Node{value}
}

// asList writes a value as a list on one line, or an example.
func asList(value *yaml.Node, example string) string {
	var words []string
	for _, n := range entries(value) {
		if n.Kind != yaml.ScalarNode || isNull(n) || len(n.Value) > 40 || n.Value == "" {
			return "[" + example + "]"
		}
		// No branch and no type has a space or a comma in it: several were meant.
		for _, word := range strings.FieldsFunc(n.Value, func(c rune) bool { return c == ' ' || c == ',' }) {
			words = append(words, inline(word))
		}
	}
	if len(words) == 0 || len(words) > 4 {
		return "[" + example + "]"
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// inline writes a text so that it can stand in a list on one line.
func inline(text string) string {
	if strings.ContainsAny(text, " ,[]{}:#*&!|>'\"%@`?") || strings.HasPrefix(text, "-") {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return text
}

// synonym maps the words of other schedulers' files to ours.
func synonym(key string) string {
	switch key {
	case "schedule", "cron", "expression", "interval", "time", "at", "every", "frequency", "crontab":
		return "spec"
	case "script", "command", "run", "exec", "shell", "sh", "bash", "start":
		return "cmd"
	case "tz", "time_zone", "timezones":
		return "timezone"
	case "suspend", "disabled", "paused":
		return "suspended"
	case "startingdeadlineseconds", "deadline":
		return "start_deadline"
	case "concurrencypolicy", "concurrency":
		return "overlap"
	case "activedeadlineseconds", "timeout_seconds":
		return "timeout"
	case "environment", "env", "vars", "environment_variables":
		return "variables"
	case "jobs", "cronjobs", "cron_jobs", "schedules":
		return "crons"
	case "exclude", "unless", "not":
		return "except"
	case "users", "automation-users", "accounts":
		return "automation_users"
	case "user", "bot":
		return "automation_user"
	case "project", "project_id":
		return "id"
	case "file", "path", "secret_file":
		return "token_file"
	}
	return ""
}

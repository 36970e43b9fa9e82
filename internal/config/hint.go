package config

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// wrongType reports a value of another form than is wanted.
func (r reader) wrongType(n *yaml.Node, wanted string) {
	r.errorf(n, "wrong-type", r.formHint(n, wanted), "it must be %s, not %s", wanted, kindOf(n))
}

func (r reader) formHint(n *yaml.Node, wanted string) string {
	key := r.key.Value
	switch {
	case secretive(r.path):
		return ""
	case r.cron != "" && r.path == "projects" && (n.Value == "all" || n.Value == "*"):
		return "leave it out: a cron that names no projects is for all of them"
	case n.Kind == yaml.ScalarNode && strings.HasPrefix(wanted, "a list"):
		return fmt.Sprintf("write %s: %s", key, asList(n, "…"))
	case wanted == "true or false":
		return truthHint(n.Value)
	case wanted == "text" && isScript(key):
		return scriptHint(key)
	case key == "spec" && n.Kind == yaml.SequenceNode:
		return "write spec: '" + oneLine(n) + "'"
	case key == "timezone":
		return "write timezone: with one name, such as Europe/Paris"
	case strings.HasSuffix(r.path, "variables.env") && n.Kind == yaml.MappingNode:
		return "leave out env:, and write the names in it directly below variables:"
	case strings.Contains(r.path, "variables.") && r.inTask() == "":
		return "write NAME: value below variables:, each on a line of its own"
	case wanted == "text" && n.Kind == yaml.MappingNode:
		return fmt.Sprintf("write the value beside %s:, in quotes if it has { or : in it", key)
	}
	return ""
}

// isScript reports whether a key's value is a script.
func isScript(key string) bool { return key == "cmd" || key == "start" }

func scriptHint(key string) string {
	return fmt.Sprintf("write %s: | and the script on the lines below, indented further", key)
}

// notSection reports a value where keys were expected, with an example for the sections that people
// most often write as something else.
func (r reader) notSection(n *yaml.Node) {
	it := "it"
	if r.cron == "" && r.path == "" {
		it = "the file"
	}
	r.errorf(n, "wrong-type", r.sectionHint(n), "%s must be a section with keys, not %s", it, kindOf(n))
}

func (r reader) sectionHint(n *yaml.Node) string {
	switch {
	case r.cron == "" && r.path == "":
		return "begin with crons:, and write below it, each indented further, a cron's name and its spec: and its task: or cmd:"
	case r.app != nil && r.cron != "" && r.path == "":
		return "write spec: and commands: below the cron's name, without a dash and indented further"
	case r.cron != "" && r.path == "" && n.Kind == yaml.ScalarNode:
		return "write " + inline(r.cron) + ": {spec: '0 5 * * *', task: {backup: {}}}, or each key on a line of its own, indented further"
	case r.cron != "" && r.path == "":
		return "write spec: and task: or cmd: below the cron's name without a dash, indented further"
	case r.path == "only" || r.path == "except":
		return fmt.Sprintf("write %s: {branches: %s}", r.path, asList(n, "main"))
	case r.path == "crons" && n.Kind == yaml.SequenceNode:
		return "write " + firstName(n) + ": without a dash, and its spec: and so on below it, indented further"
	case r.path == "crons":
		return "write the crons' names as keys, and below each its spec: and its task: or cmd:"
	case r.path == "projects":
		return "write projects by names of your own, such as shop: {id: k3qz7p2m5nwya}"
	case strings.HasSuffix(r.path, "variables"):
		return "write NAME: value, each on a line of its own"
	case r.path == "commands":
		return "write commands: {start: …} with the script, or cmd: with it"
	case r.path == "api":
		return "write api: {url: https://…}"
	case r.path == "automation_users":
		return "write users by names of your own, such as shop-bot: {token_file: /run/secrets/shop-token}"
	case strings.HasPrefix(r.path, "automation_users."):
		return "write {token_file: …} with a path, or {token_env: …} with the name of a variable"
	case r.inTask() != "":
		return r.parameterHint(n)
	}
	return ""
}

// firstName is what the first entry of a list of crons calls itself.
func firstName(list *yaml.Node) string {
	if len(list.Content) > 0 {
		for i, item := 0, list.Content[0]; item.Kind == yaml.MappingNode && i+1 < len(item.Content); i += 2 {
			if item.Content[i].Value == "name" && nameProblem(item.Content[i+1].Value) == "" {
				return inline(item.Content[i+1].Value)
			}
		}
	}
	return "nightly"
}

// oneLine joins what a list says.
func oneLine(list *yaml.Node) string {
	var words []string
	for _, n := range list.Content {
		if n.Kind != yaml.ScalarNode || len(words) == 5 || len(n.Value) > 20 {
			return "0 5 * * *"
		}
		words = append(words, n.Value)
	}
	return strings.Join(words, " ")
}

// truthHint translates the words that other formats take for true and false.
func truthHint(word string) string {
	switch strings.ToLower(word) {
	case "yes", "on", "1", "y", "enabled":
		return "write true"
	case "no", "off", "0", "n", "disabled":
		return "write false"
	case "true", "false":
		return "write " + strings.ToLower(word) + ", without quotes"
	}
	return "write true or false, without quotes"
}

// kindOf names what n is, in the words of the documentation.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section with keys"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int":
		return "a whole number"
	case "!!float":
		return "a decimal number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

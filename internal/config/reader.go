package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// reader reads values from the YAML of one file and reports what is wrong with them. It is a
// small value that is passed down: each level knows what the level above was called.
type reader struct {
	*loader
	src  *source
	cron string     // name of the cron that is read, "" outside `crons:`
	path string     // keys from the cron or the file down to the value, for messages
	key  *yaml.Node // where the value's key stands
}

// at returns a reader for the value of key.
func (r reader) at(key *yaml.Node) reader {
	r.key = key
	if r.path == "" {
		r.path = key.Value
	} else {
		r.path += "." + key.Value
	}
	return r
}

func (r reader) errorf(n *yaml.Node, code, hint, format string, args ...any) {
	r.report(Error, n, code, hint, format, args...)
}

func (r reader) report(s Severity, n *yaml.Node, code, hint, format string, args ...any) {
	r.add(Diagnostic{
		Severity: s, File: r.src.path, Line: n.Line, Column: n.Column, EndColumn: r.src.endOf(n), Cron: r.cron, Code: code,
		Message: r.prefix() + fmt.Sprintf(format, args...), Hint: hint, source: r.src,
	})
}

// reportWithin reports a finding about the bytes from offset on of the scalar n's value.
func (r reader) reportWithin(n *yaml.Node, offset, length int, d Diagnostic) {
	d.File, d.Cron, d.Message, d.source = r.src.path, r.cron, r.prefix()+d.Message, r.src
	d.Line, d.Column = r.src.locate(n, offset)
	if line, column := r.src.locate(n, offset+length); line == d.Line && column > d.Column {
		d.EndColumn = column
	}
	r.add(d)
}

func (r reader) prefix() string {
	if r.path == "" {
		return ""
	}
	return r.path + ": "
}

// quote shows a value that is wrong, unless its key says that it is a secret.
func (r reader) quote(value string) string {
	if secretive(r.path) {
		return "the value"
	}
	const most = 80
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "…"
	}
	return strconv.Quote(value)
}

// secretive reports whether a value under such a key must not be shown.
func secretive(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"token", "secret", "passw", "credential", "api_key", "apikey", "private"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// value follows an alias and refuses tags that YAML itself does not define. It returns nil when
// there is nothing to read.
func (r reader) value(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Style&yaml.TaggedStyle == 0 {
		return n
	}
	switch n.Tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "!":
		return n
	}
	hint := "automatond reads no other file; write the content here"
	if r.path == "only.branches" || r.path == "except.branches" {
		hint = fmt.Sprintf("an exclusion must be in quotes: write '%s'", n.Tag)
	}
	r.errorf(n, "unknown-tag", hint, "tag %s is not supported", n.Tag)
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// text returns a scalar as it is written: 1.10 stays 1.10 and does not become a number.
func (r reader) text(n *yaml.Node) (string, bool) {
	n, ok := r.scalar(n, "text")
	if !ok {
		return "", false
	}
	return n.Value, true
}

// scalar refuses everything but a scalar with a value.
func (r reader) scalar(n *yaml.Node, wanted string) (*yaml.Node, bool) {
	n = r.value(n)
	switch {
	case n == nil:
		return nil, false
	case isNull(n):
		r.missing()
		return nil, false
	case n.Kind != yaml.ScalarNode:
		r.wrongType(n, wanted)
		return nil, false
	}
	return n, true
}

func (r reader) missing() {
	hint := "write a value, or leave the key out"
	if r.path == "crons" {
		hint = "write a cron below it: its name, and below that its spec: and its task: or cmd:, each indented further"
	}
	r.errorf(r.key, "missing-value", hint, "it has no value")
}

func (r reader) wrongType(n *yaml.Node, wanted string) {
	hint := ""
	switch {
	case secretive(r.path):
	case r.cron != "" && r.path == "projects" && (n.Value == "all" || n.Value == "*"):
		hint = "leave it out: a cron that names no projects is for all of them"
	case n.Kind == yaml.ScalarNode && strings.HasPrefix(wanted, "a list"):
		hint = fmt.Sprintf("write %s: %s", r.key.Value, asList(n, "…"))
	case wanted == "true or false":
		hint = truthHint(n.Value)
	case wanted == "text" && isScript(r.key.Value):
		hint = fmt.Sprintf("write %s: | and the script on the lines below, indented further", r.key.Value)
	case r.key.Value == "spec" && n.Kind == yaml.SequenceNode:
		hint = "write spec: '" + oneLine(n) + "'"
	case r.key.Value == "timezone":
		hint = "write timezone: with one name, such as Europe/Paris"
	case strings.Contains(r.path, "variables.") && !strings.HasPrefix(r.path, "task."):
		hint = "write NAME: value below variables:, each on a line of its own"
	case wanted == "text" && n.Kind == yaml.MappingNode:
		hint = fmt.Sprintf("write the value beside %s:, in quotes if it has { or : in it", r.key.Value)
	}
	r.errorf(n, "wrong-type", hint, "it must be %s, not %s", wanted, kindOf(n))
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
	case strings.HasPrefix(r.path, "task."):
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

func (r reader) boolean(n *yaml.Node) (value, ok bool) {
	n, ok = r.scalar(n, "true or false")
	if !ok {
		return false, false
	}
	switch {
	case n.Tag == "!!bool" && strings.EqualFold(n.Value, "true"):
		return true, true
	case n.Tag == "!!bool" && strings.EqualFold(n.Value, "false"):
		return false, true
	}
	r.wrongType(n, "true or false")
	return false, false
}

func (r reader) integer(n *yaml.Node, least, most int) (int, bool) {
	n, ok := r.scalar(n, "a whole number")
	if !ok {
		return 0, false
	}
	value, err := strconv.Atoi(n.Value)
	switch {
	case n.Tag != "!!int" || err != nil:
		r.wrongType(n, "a whole number")
	case value < least || value > most:
		r.errorf(n, "value-range", fmt.Sprintf("write a number from %d to %d", least, most), "%d is out of range %d-%d", value, least, most)
	default:
		return value, true
	}
	return 0, false
}

func (r reader) number(n *yaml.Node, most float64) (float64, bool) {
	n, ok := r.scalar(n, "a number")
	if !ok {
		return 0, false
	}
	value, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Tag != "!!int" && n.Tag != "!!float":
		r.wrongType(n, "a number")
	case err != nil || math.IsNaN(value) || value < 0 || value > most: // .nan and .inf are numbers for YAML
		r.errorf(n, "value-range", fmt.Sprintf("write a number from 0 to %.0f", most), "%s is out of range 0-%.0f", n.Value, most)
	default:
		return value, true
	}
	return 0, false
}

// duration reads whole seconds, as the platform writes them, or a number with a unit as Go does.
func (r reader) duration(n *yaml.Node, least, most time.Duration) (time.Duration, bool) {
	const wanted = "a duration, such as 90s, 10m or 24h, or whole seconds"
	n, ok := r.scalar(n, wanted)
	if !ok {
		return 0, false
	}
	value, ok := parseDuration(n)
	switch {
	case !ok && (n.Tag == "!!bool" || n.Tag == "!!timestamp"):
		r.wrongType(n, wanted)
	case !ok:
		r.errorf(n, "duration-invalid", durationHint(n.Value), "%s is not a duration", r.quote(n.Value))
	case value < least || value > most:
		r.errorf(n, "value-range", fmt.Sprintf("write a duration from %s to %s", short(least), short(most)), "%s is out of range %s to %s", n.Value, short(least), short(most))
	default:
		return value, true
	}
	return 0, false
}

// spokenDuration is a duration as people say it.
var spokenDuration = regexp.MustCompile(`(?i)^(\d{1,6}) *(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$`)

func durationHint(text string) string {
	if m := spokenDuration.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // six digits at most
		switch unit := strings.ToLower(m[2][:1]); unit {
		case "d":
			return fmt.Sprintf("write %dh", 24*n)
		case "w":
			return fmt.Sprintf("write %dh", 7*24*n)
		default:
			return fmt.Sprintf("write %d%s", n, unit)
		}
	}
	if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		return fmt.Sprintf("write %sm for minutes, or %ss for seconds", text, text)
	}
	if d, err := time.ParseDuration(strings.ReplaceAll(text, " ", "")); err == nil {
		return "write " + short(d)
	}
	return "write whole seconds, or a duration such as 90s, 10m or 24h"
}

func parseDuration(n *yaml.Node) (time.Duration, bool) {
	if n.Tag == "!!int" {
		seconds, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return 0, false
		}
		if seconds > math.MaxInt64/int64(time.Second) {
			return math.MaxInt64, true
		}
		return time.Duration(max(seconds, -1)) * time.Second, true
	}
	value, err := time.ParseDuration(n.Value)
	return value, err == nil
}

// short writes a duration as a person would: 24h instead of 24h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if s, ok := strings.CutSuffix(text, "m0s"); ok {
		text = s + "m"
	}
	if s, ok := strings.CutSuffix(text, "h0m"); ok {
		text = s + "h"
	}
	return text
}

// oneOf reads a word from a closed set.
func oneOf[T ~string](r reader, n *yaml.Node, known ...T) (T, bool) {
	text, ok := r.text(n)
	if !ok {
		return "", false
	}
	if slices.Contains(known, T(text)) {
		return T(text), true
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	r.errorf(r.value(n), "value-unknown", "write "+alternatives(words), "%s is not known", r.quote(text))
	return "", false
}

// alternatives joins words to "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// list calls each for every entry of a list with at least one.
func (r reader) list(n *yaml.Node, of string, each func(*yaml.Node)) bool {
	wanted := "a list of " + of
	n = r.value(n)
	switch {
	case n == nil:
		return false
	case isNull(n):
		r.missing()
		return false
	case n.Kind != yaml.SequenceNode:
		r.wrongType(n, wanted)
		return false
	case len(n.Content) == 0:
		r.errorf(n, "empty-list", "name at least one; a key that is left out sets no bound", "the list is empty")
		return false
	}
	for _, item := range n.Content {
		each(item)
	}
	return true
}

// texts reads a list of texts, without repetitions.
func (r reader) texts(n *yaml.Node, of string) ([]string, []*yaml.Node, bool) {
	var list []string
	var nodes []*yaml.Node
	valid := true
	ok := r.list(n, of, func(item *yaml.Node) {
		text, ok := r.text(item)
		if ok && slices.Contains(list, text) {
			r.errorf(r.value(item), "duplicate-entry", "keep one of them", "%s is listed twice", r.quote(text))
			ok = false
		}
		valid = valid && ok
		if ok {
			list = append(list, text)
			nodes = append(nodes, r.value(item))
		}
	})
	return list, nodes, ok && valid
}

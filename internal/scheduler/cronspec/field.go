package cronspec

import (
	"fmt"
	"strconv"
	"strings"
)

// position is the place of a field in a spec.
type position int

const (
	minute position = iota
	hour
	dayOfMonth
	month
	weekday
)

// bounds says which values a field takes.
type bounds struct {
	name     string
	min, max int
	hashMax  int      // the largest value of an H without a range
	names    []string // of the values from min on
}

var positions = [5]bounds{
	minute:     {name: "minute", min: 0, max: 59, hashMax: 59},
	hour:       {name: "hour", min: 0, max: 23, hashMax: 23},
	dayOfMonth: {name: "day of month", min: 1, max: 31, hashMax: 28}, // every month has a 28th
	month: {name: "month", min: 1, max: 12, hashMax: 12, names: []string{
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	weekday: {name: "day of week", min: 0, max: 7, hashMax: 6, names: []string{
		"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// all is the set of a field's values. Sunday counts once, as 0.
func (b *bounds) all() uint64 { return 1<<(b.last()+1) - 1<<b.min }

// last is the largest value in a set; 7, the second Sunday, becomes 0.
func (b *bounds) last() int {
	if b.name == positions[weekday].name {
		return 6
	}
	return b.max
}

// field is one field of a spec.
type field struct {
	star    bool   // begins with *, which Debian's cron takes for unrestricted
	written bool   // has values beside those H will choose
	values  uint64 // bit n is set for value n
	picks   []pick // each H
}

// parseField reads a list of items. It returns the field, its values in the words of
// robfig/cron, and the error without the expression around it.
func parseField(k position, w word) (field, string, *Error) {
	f := field{star: w.text[0] == '*' || w.text[0] == '?'}
	var canonical []string
	offset := w.offset
	for text := range strings.SplitSeq(w.text, ",") {
		it := item{position: k, bounds: &positions[k], word: word{text, offset}, field: w}
		written, p, err := it.parse()
		if err != nil {
			return f, "", err
		}
		if written == "" {
			f.picks = append(f.picks, p)
		} else {
			canonical = append(canonical, written)
		}
		offset += len(text) + 1
	}
	f.written = canonical != nil
	if !f.written {
		return f, "*", nil
	}
	return f, strings.Join(canonical, ","), nil
}

// item is one element of a field's list while it is read.
type item struct {
	position position
	bounds   *bounds
	word     word
	field    word
}

// parse returns the item as robfig/cron writes it, or as a pick when it is an H.
func (it item) parse() (string, pick, *Error) {
	text := it.word.text
	if text == "" {
		return "", pick{}, it.emptyError()
	}
	base, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		n, err := it.step(word{stepText, it.word.offset + len(base) + 1})
		if err != nil {
			return "", pick{}, err
		}
		step = n
	}
	if strings.HasPrefix(base, "H") {
		p, err := it.hash(base, step)
		return "", p, err
	}
	if base == "*" || base == "?" {
		return "*/" + itoa(step), pick{}, nil
	}
	low, high, err := it.span(word{base, it.word.offset}, stepped)
	if err != nil {
		return "", pick{}, err
	}
	return it.canonical(low, high, step), pick{}, nil
}

// span reads a value or a range. A value with a step reaches to the field's last value.
func (it item) span(w word, stepped bool) (low, high int, err *Error) {
	first, second, ranged := strings.Cut(w.text, "-")
	if low, err = it.value(word{first, w.offset}); err != nil {
		return 0, 0, err
	}
	switch {
	case ranged:
		if high, err = it.value(word{second, w.offset + len(first) + 1}); err != nil {
			return 0, 0, err
		}
	case stepped:
		high = max(low, it.bounds.last())
	default:
		high = low
	}
	if low > high && strings.EqualFold(second, "sun") {
		high = 7 // FRI-SUN
	}
	if low > high {
		return 0, 0, it.fail(w, fmt.Sprintf("range %s ends before it begins", w.text), it.wrapHint(low, high))
	}
	return low, high, nil
}

// wrapHint shows how a range over the end of the field is written.
func (it item) wrapHint(low, high int) string {
	if it.position == weekday && high == 0 {
		return fmt.Sprintf("write %d-7; Sunday is 7, too", low)
	}
	return fmt.Sprintf("write %s,%s", join(low, it.bounds.last()), join(it.bounds.min, high))
}

func join(low, high int) string {
	if low == high {
		return itoa(low)
	}
	return fmt.Sprintf("%d-%d", low, high)
}

// canonical writes a range in the subset that robfig/cron understands as meant here.
func (it item) canonical(low, high, step int) string {
	if high <= it.bounds.last() {
		return fmt.Sprintf("%d-%d/%d", low, high, step)
	}
	// robfig/cron knows no seventh day, so a range up to Sunday is spelt out.
	var days []string
	for d := low; d <= high; d += step {
		days = append(days, itoa(d%7))
	}
	return strings.Join(days, ",")
}

// hash reads H or H(a-b). An H/1 chooses one value, as in Jenkins.
func (it item) hash(base string, step int) (pick, *Error) {
	p := pick{low: it.bounds.min, high: it.bounds.hashMax, step: step}
	if rest := base[1:]; rest != "" {
		inner, ok := strings.CutPrefix(rest, "(")
		inner, closed := strings.CutSuffix(inner, ")")
		if !ok || !closed || !strings.Contains(inner, "-") {
			return p, it.fail(it.word, fmt.Sprintf("%q is no H", it.word.text), "write H, H/n, H(a-b) or H(a-b)/n")
		}
		var err *Error
		if p.low, p.high, err = it.span(word{inner, it.word.offset + 2}, false); err != nil {
			return p, err
		}
	}
	if span := p.high - p.low + 1; step > span {
		return p, it.fail(it.word, fmt.Sprintf("%s step %d is out of range 1-%d", it.bounds.name, step, span), fmt.Sprintf("write a step from 1 to %d", span))
	}
	return p, nil
}

// step reads the number after a slash.
func (it item) step(w word) (int, *Error) {
	n, err := it.number(w, "step")
	if err != nil {
		return 0, err
	}
	if n < 1 {
		return 0, it.fail(w, fmt.Sprintf("%s step %s is out of range 1-%d", it.bounds.name, w.text, it.bounds.max), "write * for every value")
	}
	if n > it.bounds.max {
		return 0, it.overlongStep(n)
	}
	return n, nil
}

// overlongStep explains a step that reaches beyond the field. Other schedulers take it for the
// field's first value alone, which with * before it means every minute of hour 0.
func (it item) overlongStep(n int) *Error {
	base, _, _ := strings.Cut(it.word.text, "/")
	if base != "*" && base != "?" {
		return it.fail(it.word, fmt.Sprintf("%s step %d reaches beyond the field, whose last value is %d", it.bounds.name, n, it.bounds.max),
			"leave the step out, or write a smaller one")
	}
	cycle := [5]string{"hour", "day", "month", "year", "week"}[it.position]
	return it.fail(it.word, fmt.Sprintf("%s in the %s field means %s %d only, because a step begins again with every %s",
		it.word.text, it.bounds.name, it.bounds.name, it.bounds.min, cycle), it.overlongHint(n))
}

// overlongHint guesses what was meant by a step that is too long.
func (it item) overlongHint(n int) string {
	switch {
	case it.position == minute && n == 60:
		return "for every hour write 0 * * * *"
	case it.position == minute && n%60 == 0 && n/60 <= positions[hour].max:
		return fmt.Sprintf("for every %d hours write 0 */%d * * *", n/60, n/60)
	case it.position == minute:
		return fmt.Sprintf("no spec says every %d minutes; every hour is 0 * * * *, every 2 hours 0 */2 * * *", n)
	case it.position == hour && n == 24:
		return "for once a day write 0 0 * * *"
	case it.position == hour && n <= positions[minute].max:
		return fmt.Sprintf("for every %d minutes write */%d * * * *", n, n)
	case it.position == hour:
		return fmt.Sprintf("no spec says every %d hours; once a day is 0 0 * * *, every 2 days 0 0 */2 * *", n)
	}
	return fmt.Sprintf("write a step from 1 to %d", it.bounds.max)
}

// value reads a number or a name within the field's bounds.
func (it item) value(w word) (int, *Error) {
	for i, name := range it.bounds.names {
		if strings.EqualFold(w.text, name) {
			return it.bounds.min + i, nil
		}
	}
	n, err := it.number(w, "value")
	if err != nil {
		return 0, err
	}
	if n < it.bounds.min || n > it.bounds.max {
		return 0, it.fail(w, fmt.Sprintf("%s %s is out of range %d-%d",
			it.bounds.name, w.text, it.bounds.min, it.bounds.max), it.rangeHint(n))
	}
	return n, nil
}

// rangeHint says which numbers a field takes, and names the field that takes this one.
func (it item) rangeHint(n int) string {
	hint := fmt.Sprintf("write %d to %d", it.bounds.min, it.bounds.max)
	switch {
	case it.position == minute && n == 60:
		return "write 0, the first minute of the next hour"
	case it.position == hour && n == 24:
		return "write 0, which is midnight"
	case it.position == hour && n <= positions[minute].max:
		return hint + "; the minute is the first field, the hour the second"
	case it.position == dayOfMonth && n == 0:
		return "write 1, the first day"
	}
	return hint
}

// number reads digits and nothing else.
func (it item) number(w word, what string) (int, *Error) {
	if w.text == "" {
		return 0, it.fail(it.word, fmt.Sprintf("%s %q lacks a %s", it.bounds.name, it.word.text, what), "write a number before and after - and /")
	}
	for i := range len(w.text) {
		if w.text[i] < '0' || w.text[i] > '9' {
			return 0, it.fail(w, fmt.Sprintf("%s %s %q is not a number", it.bounds.name, what, w.text), it.nameHint(w.text))
		}
	}
	n, err := strconv.Atoi(w.text)
	if err != nil {
		n = 1 << 30 // too long for an int, and out of range everywhere
	}
	return n, nil
}

// nameHint guesses what was meant by something that is no number.
func (it item) nameHint(text string) string {
	for i, name := range it.bounds.names {
		if len(text) > 3 && strings.EqualFold(text[:3], name) {
			return fmt.Sprintf("write %s or %d", strings.ToUpper(name), it.bounds.min+i)
		}
	}
	switch {
	case strings.ContainsAny(text, "‘’‚“”„"):
		return "write the spec in straight quotes, as in '0 5 * * *'"
	case strings.HasPrefix(text, "h"):
		return "write H in upper case"
	case strings.HasPrefix(text, "*"), strings.HasPrefix(text, "?"):
		return "* stands alone or before a step, as in */5"
	case strings.ContainsAny(text, "LW#") && it.position != minute && it.position != hour:
		return "L, W and # are known to other schedulers only; write numbers"
	case it.bounds.names != nil:
		return fmt.Sprintf("write a number from %d to %d or a name from %s to %s", it.bounds.min, it.bounds.max,
			strings.ToUpper(it.bounds.names[0]), strings.ToUpper(it.bounds.names[len(it.bounds.names)-1]))
	}
	return fmt.Sprintf("write a number from %d to %d, * for all, or a list such as %d,%d", it.bounds.min, it.bounds.max, it.bounds.min, it.bounds.min+1)
}

// emptyError describes the hole in a list.
func (it item) emptyError() *Error {
	return &Error{
		Field: it.bounds.name, Offset: it.field.offset, Length: len(it.field.text),
		Message: fmt.Sprintf("%s list %q has an empty element", it.bounds.name, it.field.text),
		Hint:    "remove the comma that has nothing beside it",
	}
}

func (it item) fail(w word, message, hint string) *Error {
	return &Error{Field: it.bounds.name, Offset: w.offset, Length: len(w.text), Message: message, Hint: hint}
}

func itoa(n int) string { return strconv.Itoa(n) }

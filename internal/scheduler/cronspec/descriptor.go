package cronspec

import (
	"fmt"
	"strings"
	"time"
)

// word is a piece of an expression between white space.
type word struct {
	text   string
	offset int // of its first byte
}

// split cuts an expression at blanks, tabs and line ends. An empty expression is one empty word.
func split(expr string) []word {
	var words []word
	start := -1
	for i := 0; i <= len(expr); i++ {
		blank := i == len(expr) || expr[i] == ' ' || expr[i] == '\t' || expr[i] == '\n' || expr[i] == '\r'
		switch {
		case !blank && start < 0:
			start = i
		case blank && start >= 0:
			words = append(words, word{expr[start:i], start})
			start = -1
		}
	}
	if words == nil {
		words = []word{{}}
	}
	return words
}

// refuseForeign recognises what other schedulers take and this one does not, before the fields
// are looked at.
func refuseForeign(expr string, words []word) error {
	fail := func(w word, message, hint string) error {
		return &Error{Spec: expr, Offset: w.offset, Length: len(w.text), Message: message, Hint: hint}
	}
	first := words[0]
	upper := strings.ToUpper(first.text)
	switch {
	case first.text == "":
		return fail(word{expr, 0}, "is empty", "write five fields, such as 0 5 * * *, or a descriptor, such as @daily")
	case strings.HasPrefix(upper, "TZ="), strings.HasPrefix(upper, "CRON_TZ="):
		_, zone, _ := strings.Cut(first.text, "=")
		return fail(first, "a time zone does not belong into the spec",
			fmt.Sprintf("set timezone: %s beside the spec", strings.Trim(zone, `"'`)))
	case strings.HasPrefix(first.text, "@"):
		return nil
	case len(words) == 6 && first.text == "0":
		return fail(first, "has 6 fields instead of five: there is no field for seconds", "write "+strings.TrimSpace(expr[first.offset+1:]))
	case len(words) == 6, len(words) == 7:
		return fail(word{expr, 0}, fmt.Sprintf("has %d fields instead of five", len(words)),
			"fields for seconds and years do not exist here; keep minute, hour, day of month, month and day of week")
	case len(words) != 5:
		return fail(word{expr, 0}, fmt.Sprintf("has %d of the five fields it needs", len(words)), fewFieldsHint(words))
	}
	return nil
}

// fewFieldsHint guesses what was meant by less than five fields.
func fewFieldsHint(words []word) string {
	if len(words) == 1 {
		text := strings.ToLower(words[0].text)
		if descriptor("@"+text) != "" {
			return "write @" + text
		}
		if at, err := time.Parse("15:04", text); err == nil {
			return fmt.Sprintf("write %d %d * * * for %s every day", at.Minute(), at.Hour(), text)
		}
		if hint := everyHint(words); !strings.HasPrefix(hint, "write five") {
			return hint
		}
	}
	return "write minute, hour, day of month, month and day of week, such as 0 5 * * *"
}

// expand returns the five fields a descriptor stands for.
func expand(expr string, words []word) (string, error) {
	name := words[0]
	fail := func(w word, message, hint string) error {
		return &Error{Spec: expr, Offset: w.offset, Length: len(w.text), Message: message, Hint: hint}
	}
	whole := word{expr[name.offset:], name.offset}
	switch name.text {
	case "@every":
		return "", fail(whole, "@every counts from the start of a process, which a restart would move",
			everyHint(words[1:]))
	case "@reboot":
		return "", fail(name, "@reboot is no time: automatond runs a cron only when it is scheduled",
			"write the time it should run at, such as 0 5 * * *")
	}
	meaning := descriptor(name.text)
	switch {
	case meaning == "" && descriptor(strings.ToLower(name.text)) != "":
		return "", fail(name, fmt.Sprintf("descriptor %q is not known", name.text), "write "+strings.ToLower(name.text))
	case meaning == "":
		return "", fail(name, fmt.Sprintf("descriptor %q is not known", name.text),
			descriptorHint(strings.ToLower(name.text)))
	case len(words) > 1:
		return "", fail(words[1], fmt.Sprintf("descriptor %s is followed by %q", name.text, words[1].text),
			"a descriptor stands alone")
	}
	return meaning, nil
}

// descriptorHint names the descriptor that differs least, or all of them.
func descriptorHint(name string) string {
	known := []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
	for _, d := range known {
		if len(name) < 16 && distance(name, d) <= 2 {
			return "write " + d
		}
	}
	return "write " + strings.Join(known[:len(known)-1], ", ") + " or " + known[len(known)-1]
}

func descriptor(name string) string {
	switch name {
	case "@yearly", "@annually":
		return "0 0 1 1 *"
	case "@monthly":
		return "0 0 1 * *"
	case "@weekly":
		return "0 0 * * 0"
	case "@daily", "@midnight":
		return "0 0 * * *"
	case "@hourly":
		return "0 * * * *"
	}
	return ""
}

// everyHint turns the duration after @every into a spec when there is one that says the same.
func everyHint(rest []word) string {
	if len(rest) == 1 {
		d, err := time.ParseDuration(rest[0].text)
		switch {
		case err != nil || d <= 0:
		case d == time.Minute:
			return "write * * * * *"
		case d == time.Hour:
			return "write 0 * * * * or @hourly"
		case d == 24*time.Hour:
			return "write 0 0 * * * or @daily"
		case d < time.Hour && time.Hour%d == 0 && d%time.Minute == 0:
			return fmt.Sprintf("write */%d * * * *", d/time.Minute)
		case d < 24*time.Hour && (24*time.Hour)%d == 0 && d%time.Hour == 0:
			return fmt.Sprintf("write 0 */%d * * *", d/time.Hour)
		}
	}
	return "write five fields, such as */15 * * * * for every quarter of an hour"
}

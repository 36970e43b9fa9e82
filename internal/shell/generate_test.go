package shell

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

// generator writes random scripts of what this package accepts. A script
// reports what it sees with calls of the CLI, through its function p.
type generator struct {
	*rand.Rand
	depth     int
	loops     int
	functions int
	counters  int
	documents map[string]string // here-documents whose line has not ended yet, by their delimiter
}

// generate returns the script of a seed.
func generate(seed uint64) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), documents: map[string]string{}}
	src := g.script()
	if g.chance(4) {
		src = generatedPrelude + g.damaged(src[len(generatedPrelude):])
	}
	return src
}

// damaged changes a few bytes, to come upon what dash and the parser read
// differently.
func (g *generator) damaged(src string) string {
	for range 1 + g.IntN(2) {
		i := g.IntN(len(src))
		j := min(len(src), i+g.IntN(6))
		src = src[:i] + g.pick("", "", " ", ";", "'", "\"", "\\", "$", "`", "(", ")", "{", "}", "&&", "|", " >&2 ", "#", "\n", "!", "~", "*", " in ", "do ", "fi", src[i:j]) + src[j:]
	}
	return src
}

const generatedPrelude = `p() { platform redeploy -W -e "n$#:$?"; for q; do platform redeploy -W -e "[$q]"; done; }
`

func (g *generator) script() string {
	var b strings.Builder
	b.WriteString(generatedPrelude)
	for range 1 + g.IntN(4) {
		b.WriteString(g.withDocuments(g.statement()))
	}
	b.WriteString(`p "$?" "$-" "$a" "$b" "$IFS" "$@"` + "\n")
	return b.String()
}

var documentOperator = regexp.MustCompile(`<<-?'?(E\d+)`)

// withDocuments ends a line, and adds the here-documents that begin on it.
func (g *generator) withDocuments(line string) string {
	line += "\n"
	for _, m := range documentOperator.FindAllStringSubmatch(line, -1) {
		line += g.documents[m[1]]
		delete(g.documents, m[1])
	}
	return line
}

// enclosed completes a text whose here-documents cannot stand after it.
func (g *generator) enclosed(text string) string {
	if documentOperator.MatchString(text) {
		return g.withDocuments(text)
	}
	return text
}

// hereDocument returns a redirection from a text.
func (g *generator) hereDocument() string {
	delimiter := fmt.Sprint("E", len(g.documents)+g.IntN(1e6))
	var b strings.Builder
	for range g.IntN(4) {
		b.WriteString(g.document())
	}
	b.WriteString(delimiter + "\n")
	g.documents[delimiter] = b.String()
	return g.pick(" <<", " <<", " <<-") + g.pick(delimiter, delimiter, "'"+delimiter+"'")
}

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

func (g *generator) name() string {
	return g.pick("a", "b", "c", "d", "a", "b", "c", "d", "U", "E", "X")
}

// list returns statements on one line.
func (g *generator) list() string {
	g.depth++
	defer func() { g.depth-- }()
	var all []string
	for range 1 + g.IntN(2) {
		all = append(all, g.statement())
	}
	return strings.Join(all, "; ")
}

func (g *generator) statement() string {
	s := g.andOr()
	if g.chance(6) {
		s += g.pick(" && ", " || ") + g.andOr()
	}
	return s
}

func (g *generator) andOr() string {
	s := g.command()
	if g.chance(10) {
		s = "! " + s
	}
	return s
}

func (g *generator) command() string {
	if g.depth > 2 || !g.chance(3) {
		return g.simple() + g.redirection()
	}
	switch g.IntN(14) {
	case 0, 1:
		return "if " + g.condition() + "; then " + g.list() + g.pick("", "; else "+g.list(), "; elif "+g.condition()+"; then "+g.list()) + "; fi" + g.redirection()
	case 2:
		return g.loop(fmt.Sprintf("for %s in %s; do ", g.name(), g.words(0, 3)), "; done")
	case 3:
		g.counters++
		i := fmt.Sprint("i", g.counters)
		return g.loop(fmt.Sprintf("%s=0; %s ]; do %s=$((%s+1)); ", i, g.pick("while [ $"+i+" -lt 3", "until [ $"+i+" -ge 3"), i, i), "; done") + g.redirection()
	case 4:
		return "case " + g.word() + " in " + g.pattern() + ") " + g.list() + ";; " + g.pattern() + "|" + g.pattern() + ") " + g.list() + ";; *) " + g.list() + ";; esac"
	case 5:
		return "(" + g.list() + ")" + g.redirection()
	case 6:
		return "{ " + g.list() + "; }" + g.redirection()
	case 7:
		return g.pipe()
	case 8:
		g.functions++
		f := fmt.Sprint("f", g.functions)
		loops := g.loops
		g.loops = 0
		body := g.list() + "; " + g.pick("", "return; ", "return 3; ", "local a; ", "local b=$1 c; ", "local a=$b b=\"$*\"; ", "local -; ", "local IFS=: a; ", "local OPTIND; ") + g.list()
		s := f + g.pick("() { "+body+"; }", "() { "+body+"; }", "() ("+body+")", "() { "+body+"; } >/dev/null") + "; "
		g.loops = loops
		return s + g.pick("", "X=1 ", "a=2 ") + f + " " + g.words(0, 3) + g.pick("", "", "; "+f+" $?", "; unset -f "+f, g.redirection())
	case 9:
		return g.evaluation()
	case 10:
		s := g.enclosed(g.silent())
		return "p " + g.pick(`"$(`+s+`)"`, `$(`+s+`)`, "x`"+strings.NewReplacer("\\", "\\\\", "`", "\\`", "$", "\\$").Replace(s)+"`")
	case 11:
		return "while " + g.read() + "; do p \"$a\" \"$b\"; " + g.pick("", g.list()+"; ", "break; ") + "done" + g.hereDocument()
	case 12:
		return "trap " + g.pick(singleQuoted(g.enclosed(g.list())), singleQuoted(g.silentReport()+"; "+g.pick("exit", "exit 4", "false", "(exit)", "return 5")), "''", "-", "': x'") + " " + g.pick("EXIT", "EXIT", "0", "INT", "EXIT HUP", "TERM")
	default:
		return g.condition()
	}
}

// evaluation is an eval of a text that is fixed, or put together.
func (g *generator) evaluation() string {
	name := g.name()
	return "eval " + g.pick(
		singleQuoted(g.enclosed(g.list())), singleQuoted(g.enclosed(g.list())),
		singleQuoted(g.list())+" "+singleQuoted("; "+g.list()),
		"\""+name+"=\\\"\\$"+g.name()+"\\\"\"", "\"p \\${"+name+g.pick("", ":-x", "#a")+"}\"", name+"=\\$"+g.name(),
		"\"set -- $a\"", "p $a", "\"p \\$$#\"", "\"$a\"", "''", "")
}

func (g *generator) loop(head, tail string) string {
	g.loops++
	defer func() { g.loops-- }()
	return head + g.list() + g.pick("", "", "; break", "; continue", "; break 2", "; "+g.condition()+" && break", "; "+g.condition()+" && continue") + tail
}

// silent returns statements that do not call the CLI, but print.
func (g *generator) silent() string {
	var all []string
	for range 1 + g.IntN(3) {
		all = append(all, g.pick(g.output(), g.output(), g.assignment(), g.condition(), g.setting(), "exit "+g.pick("0", "3", ""), "false", "for z in "+g.words(0, 3)+`; do echo "$z"; done`,
			"if "+g.condition()+"; then "+g.output()+"; fi", "case "+g.word()+" in "+g.pattern()+") "+g.output()+";; *) "+g.output()+"; esac",
			g.read()+g.hereDocument()+`; echo "$a-$b"`, "set -- "+g.words(0, 3), "shift", g.output()+" >&2", "trap "+singleQuoted(g.output())+" EXIT", "eval "+singleQuoted(g.output())))
	}
	return strings.Join(all, g.pick("; ", " && ", "; "))
}

func (g *generator) pipe() string {
	s := g.pick(g.output(), "{ "+g.silent()+"; }", "("+g.silent()+")")
	if g.chance(4) {
		s += " | while read -r z; do echo \"<$z>\"; done"
	}
	read := g.read()
	return s + " | " + g.pick("{ "+read+"; p $? \"$a\" \"$b\" \"$c\"; }", "while read "+g.pick("", "-r ")+"a"+g.pick("", " b")+"; do p \"$a\" \"$b\"; done", "{ "+read+"; "+g.list()+"; }")
}

func (g *generator) read() string {
	return g.pick("", "IFS=: ", "IFS= ", "IFS=', ' ") + "read " + g.pick("", "-r ") + g.pick("a", "a b", "a b c", "a a b")
}

func (g *generator) simple() string {
	switch g.IntN(16) {
	case 0, 1, 2, 3:
		return "p " + g.words(0, 4)
	case 4, 5:
		return g.assignment()
	case 6:
		return g.setting()
	case 7:
		return "set -- " + g.words(0, 4)
	case 8:
		return g.pick("shift", "shift 2", "unset "+g.name(), "unset "+g.name(), "unset IFS", "export "+g.name()+"="+g.word(), "export "+g.name(), ": "+g.words(0, 2), "command "+g.output(), "set --", "command -v p", "command -v echo", "command -v nope", "type p", "hash p", "umask 022", "wait", "command shift", "exec", "exec >/dev/null", "exec platform redeploy -W", "(exec platform redeploy -W)", "read -p x -r a", "command p", "unset -v "+g.name())
	case 9:
		return g.read() + g.hereDocument() + g.pick("; p \"$a\" \"$b\" $c", " && p \"$a\"", " || p \"$b\"", "")
	case 10:
		return g.pick("exit "+g.pick("", "0", "1", "7"), "return "+g.pick("", "0", "2"), "readonly "+g.pick("R=1", "R", "X=2"), "break", "continue", "false", "true")
	case 11:
		return "p \"$(" + g.output() + ")\""
	case 12:
		return g.pick("X=1 ", "a="+g.word()+" ", "") + g.pick("p "+g.words(1, 2), ":", "true", "eval 'p \"$a\" \"$X\"'", "command eval 'p $a'")
	case 13:
		return g.pick("set -- ", "set -- ", ": ") + g.options() + "; while getopts " + g.pick("ab:", ":ab:", "a", ":b:a") + " o " + g.pick("", "", g.options()) + "; do p \"$o\" \"$OPTARG\" \"$OPTIND\"; " + g.pick("", "", "break; ", "shift; ") + "done; " + g.pick("OPTIND=1", "OPTIND=1", "p $OPTIND", "shift $((OPTIND-1)); p \"$@\"")
	default:
		return g.condition()
	}
}

// options are words of which most look like options.
func (g *generator) options() string {
	var all []string
	for range g.IntN(4) {
		all = append(all, g.pick("-a", "-b", "-ab", "-ba", "-bx", "-aa", "--", "-", "-c", "x", "''", g.word()))
	}
	return strings.Join(all, " ")
}

func (g *generator) silentReport() string { return "p \"t$?\" " + g.words(0, 2) }

func (g *generator) setting() string {
	return g.pick("set -e", "set -u", "set +e", "set +u", "set -eu", "set -f", "set -o errexit", "set +o nounset", "set -e -- "+g.words(0, 2), "set -f +e", "set -a", "IFS=:", "IFS=', '", "IFS=", "unset IFS", "IFS=' '", "IFS=a", "IFS=1")
}

func (g *generator) redirection() string {
	if !g.chance(12) {
		return ""
	}
	return g.pick(" >/dev/null", " 2>/dev/null", " >/dev/null 2>&1", " 2>&1", " </dev/null", " >&2", " >&1", " >&-", " <&-", g.hereDocument(), g.hereDocument())
}

func (g *generator) assignment() string {
	s := g.name() + "=" + g.word()
	if g.chance(5) {
		s += " " + g.name() + "=" + g.word()
	}
	if g.chance(8) {
		s = g.name() + "=$(" + g.silent() + ")"
	}
	return s
}

func (g *generator) output() string {
	if g.chance(2) {
		return "echo " + g.pick("", "", "-n ", "-e ", "-- ") + g.words(0, 3)
	}
	return "printf " + g.pick(
		"'%s\\n' "+g.words(0, 3), "'%s,%s;' "+g.words(0, 4), "'%b' "+g.word(), "'%d ' "+g.number()+" "+g.number(),
		"'%5s|%-5s|%.2s|%05d' "+g.words(0, 3), "'%x %o %X %u %i' "+g.number()+" "+g.number(), "'%c%c' "+g.words(1, 2),
		"'a\\tb\\e\\n\\101\\\\%%\\x\\c'", "'%*d|%-*s|' 5 "+g.number()+" 4 "+g.word(), "'%+d % d %#x' 1 2 3", "'%03d' "+g.number(),
		"%s "+g.words(1, 3), "'%s' "+g.word(), g.word()+" "+g.words(0, 2), "'%d' "+g.word(), "'%.3s|%8.3s' "+g.words(0, 2),
		"'%b|' "+g.words(1, 2), "-- '%s' "+g.word(), "'"+g.directive()+"|"+g.directive()+"|' "+g.number()+" "+g.number(),
		"'"+g.directive()+"' "+g.pick("1.5", "0.1", "1e10", "123456789", "-2.50", "1e-7", "100000", "inf", "1.5x", "0x10", "")+" "+g.word())
}

// directive is a random conversion of printf.
func (g *generator) directive() string {
	return "%" + g.pick("", "", "-", "+", " ", "0", "#", "-0", "#0", "+0") + g.pick("", "", "5", "12", "3") + g.pick("", "", ".0", ".3", ".", ".10") + g.pick("d", "i", "u", "o", "x", "X", "s", "b", "c", "e", "f", "g", "G", "s", "d")
}

func (g *generator) number() string {
	return g.pick("0", "1", "2", "7", "10", "-3", "010", "0x1F", "+4", "' 5'", "'5 '", "9223372036854775807", "18446744073709551615", "99999999999999999999", "-9223372036854775808", "'\"a'", "\"'b\"", "''", "x", "1x", "08", "$a", `"$b"`, "$((1+1))")
}

func (g *generator) condition() string {
	operand := func() string {
		return g.pick(g.word(), `"$a"`, `"$b"`, "$a", "''", "!", "-n", "=", `\(`, "a", "'a b'")
	}
	binary := g.pick("=", "!=", "=", "-eq", "-ne", "-lt", "-ge", "-gt", "-le", `\<`, `\>`, "-a", "-o")
	numeric := g.number() + " " + g.pick("-eq", "-ne", "-lt", "-ge", "-gt", "-le") + " " + g.number()
	expr := g.pick(
		operand(), g.pick("-n", "-z", "!")+" "+operand(), operand()+" "+binary+" "+operand(), operand()+" "+binary+" "+operand(),
		numeric, numeric, "! "+operand()+" "+binary+" "+operand(), `\( `+operand()+" = "+operand()+` \)`,
		operand()+" = "+operand()+" "+g.pick("-a", "-o")+" "+numeric, operand()+" "+operand()+" "+operand(),
		operand()+" "+operand(), operand()+" "+operand()+" "+operand()+" "+operand(), "")
	if g.chance(3) {
		return strings.TrimSpace("test " + expr)
	}
	return "[ " + strings.TrimSpace(expr+" ]")
}

func (g *generator) words(least, most int) string {
	var all []string
	for range least + g.IntN(most-least+1) {
		all = append(all, g.word())
	}
	return strings.Join(all, " ")
}

func (g *generator) word() string {
	var b strings.Builder
	for range 1 + g.IntN(1+g.IntN(3)) {
		b.WriteString(g.part())
	}
	return b.String()
}

func (g *generator) part() string {
	switch g.IntN(14) {
	case 0, 1, 2:
		return g.pick("a", "b", "x", "1", "a:b", "main", "-n", "-a", "x/y", "~", "~/x", "a=~", "{a,b}", "*", "?", "[!a]", "a\\ b", "\\*", "\\\\", "-ab", "--", "%s", "a\\'b", "#", "a#b", "^", "=", "!", "]", "@")
	case 3, 4:
		return g.pick("''", "'a b'", "'a  b '", "' '", "'*'", `'\n'`, `'a\tb'`, `'\'`, "'$a'", "'a:b:'", "'\"'", "'[a-c]*'", "'1,2 ,3'", "'\n'", "'a\\cb'", "'\\0101'", "'~'", "'::'", "' a:'")
	case 5, 6:
		g.depth++
		defer func() { g.depth-- }()
		var b strings.Builder
		for range g.IntN(4) {
			b.WriteString(g.quotedPart())
		}
		return `"` + b.String() + `"`
	case 7, 8, 9:
		return g.pick("$a", "$b", "$c", "$1", "$2", "$#", "$?", "$@", "$*", "${a}", "${10}", "$U", "$E", "$X", `"$@"`, `"$*"`, `"$a"`, `"$b"`)
	case 10, 11:
		return g.expansion(false)
	case 12:
		if g.depth > 3 {
			return "$a"
		}
		return g.substitution()
	default:
		return "$((" + g.arithmetic() + "))"
	}
}

func (g *generator) substitution() string {
	g.depth += 2
	defer func() { g.depth -= 2 }()
	if g.chance(6) {
		return "`" + g.pick("echo a", `echo "b c"`, `printf '%s' "\$a"`, "echo $a", "echo \\\\\\\\") + "`"
	}
	return "$(" + g.output() + ")"
}

func (g *generator) quotedPart() string {
	switch g.IntN(8) {
	case 0, 1, 2:
		return g.pick("a", " ", "*", "~", `\$`, `\\`, `\"`, "\\`", `\a`, `\n`, "'", "{a,b}", "a b", ":", "", "\\\n", "[a]")
	case 3, 4, 5:
		return g.pick("$a", "$b", "$@", "$*", "$1", "${a}", "$#", "$U", "$E", "$X")
	case 6:
		return g.expansion(true)
	default:
		if g.depth > 3 {
			return "$b"
		}
		return g.pick("$(("+g.arithmetic()+"))", g.substitution())
	}
}

func (g *generator) expansion(quoted bool) string {
	name := g.pick("a", "b", "c", "U", "E", "X", "1", "2", "3", "@", "*", "#", "?", "a", "b", "PLATFORM_BRANCH", "PLATFORM_ENVIRONMENT_TYPE")
	if g.depth > 4 {
		return "${" + name + "}"
	}
	g.depth++
	defer func() { g.depth-- }()
	if g.chance(6) {
		return "${#" + name + "}"
	}
	switch g.IntN(4) {
	case 0, 1:
		op := g.pick(":-", "-", ":+", "+", ":=", "=", ":-", ":+")
		if strings.HasSuffix(op, "=") && !isAlpha(name[0]) {
			name = "d"
		}
		if name == "#" || name == "?" {
			name = "a"
		}
		return "${" + name + op + g.expansionWord(quoted) + "}"
	case 2:
		if g.chance(8) {
			return "${" + name + g.pick(":?", "?") + g.pick("", "no") + "}"
		}
		fallthrough
	default:
		if !isAlpha(name[0]) && !isDigit(name[0]) {
			name = "b"
		}
		return "${" + name + g.pick("#", "##", "%", "%%") + g.pattern() + "}"
	}
}

func (g *generator) expansionWord(quoted bool) string {
	var b strings.Builder
	for range g.IntN(3) {
		if quoted {
			b.WriteString(g.pick(g.quotedPart(), g.quotedPart(), `"$a"`, `"a b"`, `\}`, `"x  y"`, "'a b'"))
			continue
		}
		b.WriteString(g.pick(g.part(), g.part(), " ", "a b", `\}`, `"$a"`, `'a b'`, ":"))
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

func (g *generator) pattern() string {
	var b strings.Builder
	for range 1 + g.IntN(3) {
		b.WriteString(g.pick("*", "?", "a", "b", "*", "[a-c]", "[!a-c]", "[[:alpha:]]", "[^a]", `\*`, `"*"`, "'?'", "$a", `"$a"`, "$b", "/*", "*/", ":", "[]a]", "[a", "[a-]", `\\`, "x", "1", "[[:space:]]", "[!]a]", `["*"]`, `[\]]`, "~", "-", "n", "main"))
	}
	return b.String()
}

func (g *generator) arithmetic() string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 5 || g.chance(3) {
		return g.pick("1", "2", "0", "7", "010", "0x1f", "a", "b", "c", "n", "$a", "${b}", "$#", "$?", "-1", "U", "E", "${1:-3}", "9223372036854775807")
	}
	switch g.IntN(10) {
	case 0:
		return "(" + g.arithmetic() + ")"
	case 1:
		return g.pick("!", "~", "- ", "+ ") + g.arithmetic()
	case 2:
		return g.arithmetic() + " ? " + g.arithmetic() + " : " + g.arithmetic()
	case 3:
		return "(" + g.pick("n", "a") + " " + g.pick("=", "+=", "-=", "*=", "<<=", "|=", "/=") + " " + g.arithmetic() + ")"
	default:
		return g.arithmetic() + g.pick("+", " - ", "*", " / ", " % ", "<", " > ", "<=", ">=", "==", "!=", "&&", "||", "&", "|", "^", "<<", ">>") + g.arithmetic()
	}
}

// document is a line of a here-document.
func (g *generator) document() string {
	if g.chance(2) {
		g.depth += 2
		defer func() { g.depth -= 2 }()
		return strings.ReplaceAll(g.quotedPart()+g.pick("", " ", ":", "\t")+g.quotedPart(), "\n", " ") + "\n"
	}
	return g.pick("a b c\n", "$a $b\n", "\"x\" 'y' \\$a \\\\ \\a\n", "${a:-x y}\n", "a:b:c:\n", " x  y \n", "$((1+2)) $(echo a)\n", "a\\\nb\n", "${b#a}:${U-\"q r\"}\n", "\n", "\\tb \\ c\n", "$@ $*\n", "*\n", "`echo z`\n", "${a+'q'}\\\"\n", "\tx\n", "\t\t$a\n")
}

func singleQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

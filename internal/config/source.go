package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxFile bounds a configuration file, so that a path to a log or a device by mistake is an
// error and not an exhausted memory. 10,000 crons take about 2 MiB.
const maxFile = 32 << 20 // bytes

// source is one configuration file while it is read.
type source struct {
	path  string
	data  []byte
	lines [][]byte // of data, without line ends; split when the first position is asked for

	scalars   []scalar // of data, to hide secrets by; found when the first line is shown
	malformed bool     // data is not YAML
}

func readSource(path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= maxFile {
		data.Grow(int(info.Size()) + bytes.MinRead)
	}
	if _, err := data.ReadFrom(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, err
	}
	if data.Len() > maxFile {
		return nil, fmt.Errorf("the file is larger than %d MiB", maxFile>>20)
	}
	return &source{path: path, data: data.Bytes()}, nil
}

// version12 is the directive of a file that says it is YAML 1.2, at its beginning.
var version12 = regexp.MustCompile(`^(\x{feff}?(?:[ \t]*(?:#[^\n]*)?\n)*%YAML 1\.)2\b`)

// decoder reads the file's documents. The YAML library refuses the directive of YAML 1.2, though it
// reads most of it; so it is shown that of 1.1.
func (s *source) decoder() *yaml.Decoder {
	data := s.data
	if version12.Match(data) {
		data = version12.ReplaceAll(data, []byte("${1}1"))
	}
	return yaml.NewDecoder(bytes.NewReader(data))
}

// parse returns the root of the file's only document, nil with the problem otherwise.
func (s *source) parse() (*yaml.Node, *Diagnostic) {
	if bytes.HasPrefix(s.data, []byte("\xff\xfe")) || bytes.HasPrefix(s.data, []byte("\xfe\xff")) {
		return nil, &Diagnostic{Code: "file-encoding", Message: "the file is UTF-16", Hint: "save it as UTF-8"}
	}
	var document, second yaml.Node
	decoder := s.decoder()
	err := decoder.Decode(&document)
	if err == io.EOF || err == nil && (len(document.Content) == 0 || isNull(document.Content[0])) {
		return nil, &Diagnostic{Line: 1, Column: 1, Code: "empty-file", Message: "the file contains no configuration", Hint: "start with crons:"}
	}
	if err != nil {
		problem := s.explain(err)
		return nil, &problem
	}
	switch err := decoder.Decode(&second); {
	case err == io.EOF:
		return document.Content[0], nil
	case err != nil:
		problem := s.explain(err)
		return nil, &problem
	}
	return nil, &Diagnostic{Line: second.Line, Column: second.Column, Code: "second-document",
		Message: "a second YAML document begins here, and only one is read",
		Hint:    "move it to a file of its own, and name both files or their directory"}
}

// isLineBreak knows what the YAML library counts lines by: these characters of YAML 1.1, and \r\n as one.
func isLineBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// line returns line n, counted from 1, without its end; "" beyond the file.
func (s *source) line(n int) []byte {
	if s.lines == nil {
		rest := bytes.TrimPrefix(s.data, []byte("\ufeff"))
		for end := bytes.IndexFunc(rest, isLineBreak); end >= 0; end = bytes.IndexFunc(rest, isLineBreak) {
			_, size := utf8.DecodeRune(rest[end:])
			if bytes.HasPrefix(rest[end:], []byte("\r\n")) {
				size = 2
			}
			s.lines, rest = append(s.lines, rest[:end]), rest[end+size:]
		}
		s.lines = append(s.lines, rest)
	}
	if n < 1 || n > len(s.lines) {
		return nil
	}
	return s.lines[n-1]
}

func (s *source) lineCount() int {
	s.line(1)
	return len(s.lines)
}

// locate finds the character of the file that byte offset of the scalar n's value comes from. It
// is exact for literal blocks and for scalars on one line; for others it is the scalar's start.
func (s *source) locate(n *yaml.Node, offset int) (line, column int) {
	var ok bool
	switch {
	case offset < 0 || offset > len(n.Value):
	case n.Style&yaml.LiteralStyle != 0:
		line, column, ok = s.locateInBlock(n, offset)
	case n.Style&yaml.FoldedStyle != 0:
	default:
		line, column, ok = s.locateInLine(n, offset)
	}
	if !ok {
		return n.Line, n.Column
	}
	return line, column
}

// endOf returns the column after the last character of a scalar that ends on its line, 0 for
// everything else.
func (s *source) endOf(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return 0
	}
	_, column, ok := s.locateInLine(n, len(n.Value))
	switch {
	case !ok:
		return 0
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return column + 1
	}
	return column
}

// locateInBlock relies on a literal block keeping its lines: the file's line is the value's line
// with the indentation before it.
func (s *source) locateInBlock(n *yaml.Node, offset int) (line, column int, ok bool) {
	before := n.Value[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	text, _, _ := strings.Cut(n.Value[start:], "\n")
	line = n.Line + 1 + strings.Count(before, "\n")
	raw := s.line(line)
	if !bytes.HasSuffix(raw, []byte(text)) || bytes.ContainsFunc(raw[:len(raw)-len(text)], func(r rune) bool { return r != ' ' }) {
		return 0, 0, false
	}
	return line, characters(raw, len(raw)-len(text)+offset-start), true
}

// locateInLine walks over a plain or quoted scalar that ends on the line where it begins.
func (s *source) locateInLine(n *yaml.Node, offset int) (line, column int, ok bool) {
	raw := s.line(n.Line)
	at := skipProperties(raw, bytesBefore(raw, n.Column))
	rest := raw[min(at, len(raw)):]
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0:
		if len(rest) == 0 || !bytes.HasPrefix(rest[1:], []byte(strings.ReplaceAll(n.Value, "'", "''")+"'")) {
			return 0, 0, false
		}
		at += 1 + offset + strings.Count(n.Value[:offset], "'")
	case n.Style&yaml.DoubleQuotedStyle != 0:
		skipped, ok := skipDoubleQuoted(rest, offset)
		if !ok {
			return 0, 0, false
		}
		at += skipped
	default:
		if !bytes.HasPrefix(rest, []byte(n.Value)) {
			return 0, 0, false
		}
		at += offset
	}
	return n.Line, characters(raw, at), true
}

// skipProperties steps over an anchor and a tag, which the parser counts to the scalar.
func skipProperties(raw []byte, at int) int {
	for at < len(raw) && (raw[at] == '&' || raw[at] == '!') {
		end := bytes.IndexByte(raw[at:], ' ')
		if end < 0 {
			return at
		}
		at += end
		for at < len(raw) && raw[at] == ' ' {
			at++
		}
	}
	return at
}

// skipDoubleQuoted returns how many bytes of raw, which begins at the opening quotation mark,
// come before byte offset of the value. It is false when the scalar does not end on this line.
func skipDoubleQuoted(raw []byte, offset int) (int, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return 0, false
	}
	found, value := -1, 0
	for at := 1; at < len(raw); {
		if value >= offset && found < 0 {
			found = at
		}
		switch {
		case raw[at] == '"':
			return found, found >= 0
		case raw[at] != '\\':
			at++
			value++
		default:
			width, length := escape(raw[at:])
			at += width
			value += length
		}
	}
	return 0, false
}

// escape returns how many bytes the escape sequence at the start of raw takes, and how many its
// character takes in UTF-8. The escapes are those of YAML 1.2, section 5.7.
func escape(raw []byte) (width, length int) {
	digits := 0
	if len(raw) > 1 {
		switch raw[1] {
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		case 'N', '_':
			return 2, 2
		case 'L', 'P':
			return 2, 3
		}
	}
	if digits == 0 || len(raw) < 2+digits {
		return 2, 1
	}
	code, err := strconv.ParseUint(string(raw[2:2+digits]), 16, 32)
	if err != nil {
		return 2, 1
	}
	return 2 + digits, max(1, utf8.RuneLen(rune(code)))
}

// characters turns a byte offset into a column.
func characters(raw []byte, offset int) int {
	return 1 + utf8.RuneCount(raw[:min(offset, len(raw))])
}

// bytesBefore turns a column into a byte offset.
func bytesBefore(raw []byte, column int) int {
	at := 0
	for ; column > 1 && at < len(raw); column-- {
		_, size := utf8.DecodeRune(raw[at:])
		at += size
	}
	return at
}

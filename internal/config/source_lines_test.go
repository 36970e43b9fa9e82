package config

import (
	"testing"

	"gopkg.in/yaml.v3"
)

// TestSource_CountsLinesAsTheLibraryDoes uses every line break there is: a line that is taken for another
// would be shown, and its secret with it.
func TestSource_CountsLinesAsTheLibraryDoes(t *testing.T) {
	s := &source{data: []byte("\ufeffone\ntwo\r\nthree\rfour\u0085five\u2028six\u2029seven\n")}
	for i, want := range []string{"one", "two", "three", "four", "five", "six", "seven", ""} {
		if got := string(s.line(i + 1)); got != want {
			t.Errorf("line %d is %q, want %q", i+1, got, want)
		}
	}
	if got := s.lineCount(); got != 8 {
		t.Errorf("%d lines, want 8", got)
	}
}

func TestLineBreaks_AreTheLibrarys(t *testing.T) {
	for _, between := range []string{"\n", "\r\n", "\r", "\u0085", "\u2028", "\u2029"} {
		var file yaml.Node
		if err := yaml.Unmarshal([]byte("a: 1"+between+"b: 2\n"), &file); err != nil {
			t.Errorf("%q: %v", between, err)
		} else if b := file.Content[0].Content[2]; b.Value != "b" || b.Line != 2 {
			t.Errorf("%q: %s is on line %d", between, b.Value, b.Line)
		}
	}
}

// TestSource_ReadsYAML12 shows the library the directive that it knows, and leaves the file as it is.
func TestSource_ReadsYAML12(t *testing.T) {
	for _, text := range []string{"%YAML 1.2\n---\na: 1\n", "\ufeff# note\n\n%YAML 1.2 # this one\n---\na: 1\n", "%YAML 1.1\n---\na: 1\n"} {
		s := &source{data: []byte(text)}
		if root, problem := s.parse(); problem != nil || root.Content[1].Value != "1" || string(s.data) != text {
			t.Errorf("%q: %+v", s.data, problem)
		}
	}
}

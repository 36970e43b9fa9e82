package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCodes_AreTheSameInCodeGoldensAndDocument holds that every code the program can say is shown
// by a golden file and explained in docs/diagnostics.md, and that neither has any other.
func TestCodes_AreTheSameInCodeGoldensAndDocument(t *testing.T) {
	inCode := codesInSource(t, ".", "../shell", "../scheduler/cronspec")
	if len(inCode) < 60 {
		t.Errorf("only %d codes were found in the code: %q", len(inCode), inCode)
	}
	golden := map[string]bool{}
	shown := regexp.MustCompile(`(?m)^[^ \n].*\[([a-z0-9]+(?:-[a-z0-9]+)*)\]$`)
	for _, pattern := range []string{"testdata/broken/*.txt", "testdata/questionable/*.txt"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			for _, m := range shown.FindAllStringSubmatch(read(t, path), -1) {
				golden[m[1]] = true
			}
		}
	}
	same(t, inCode, sorted(golden), "the golden files")
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^### ([a-z0-9-]+)$`).FindAllStringSubmatch(read(t, "../../docs/diagnostics.md"), -1) {
		documented[m[1]] = true
	}
	same(t, inCode, sorted(documented), "docs/diagnostics.md")
}

// same reports the codes that only one of two lists has.
func same(t *testing.T, code, other []string, name string) {
	t.Helper()
	for _, c := range code {
		if !slices.Contains(other, c) {
			t.Errorf("%s does not have the code %s", name, c)
		}
	}
	for _, c := range other {
		if !slices.Contains(code, c) {
			t.Errorf("%s has the code %s, which nothing says", name, c)
		}
	}
}

func sorted(set map[string]bool) []string {
	var list []string
	for code := range set {
		list = append(list, code)
	}
	slices.Sort(list)
	return list
}

// codeArguments are the functions that take a code, and which argument it is.
var codeArguments = map[string]int{
	"report": 2, "errorf": 1, "once": 2, "processError": 0, "fileProblem": 1, "note": 0, "mistake": 3, // config
	"found": 2, "foundHere": 2, "at": 2, // shell
	"warn": 1, // cronspec
}

// codesInSource finds the codes in the sources of packages: arguments of the functions above, and
// whatever is given to something that is called Code or code.
func codesInSource(t *testing.T, dirs ...string) []string {
	t.Helper()
	found := map[string]bool{}
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			code, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[code] = true
		}
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if i, ok := codeArguments[called(n)]; ok && i < len(n.Args) {
						add(n.Args[i])
					}
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
						add(n.Value)
					}
				case *ast.AssignStmt:
					for i, left := range n.Lhs {
						if isCode(left) && i < len(n.Rhs) {
							add(n.Rhs[i])
						}
					}
				}
				return true
			})
		}
	}
	delete(found, "")
	return sorted(found)
}

// called is the name of the function that is called.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func isCode(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "code"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Code"
	}
	return false
}

package automatond_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile("`(Test[A-Za-z0-9]+_[A-Za-z0-9]+)`")
	madeTest  = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
)

// TestGuarantees_NameTestsThatExist holds docs/guarantees.md to what it says of the tests.
func TestGuarantees_NameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	named := namedTest.FindAllSubmatch(page, -1)
	if len(named) < 40 {
		t.Errorf("the page names %d tests", len(named))
	}
	exist := testsIn(t, os.DirFS("."))
	for _, name := range named {
		if !exist[string(name[1])] {
			t.Errorf("docs/guarantees.md names %s, which does not exist", name[1])
		}
	}
}

func testsIn(t *testing.T, tree fs.FS) map[string]bool {
	t.Helper()
	exist := map[string]bool{}
	err := fs.WalkDir(tree, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := fs.ReadFile(tree, name)
		for _, made := range madeTest.FindAllSubmatch(file, -1) {
			exist[string(made[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return exist
}

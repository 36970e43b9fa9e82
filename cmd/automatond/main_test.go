package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// beTheDaemon, set in the environment of a copy of the test binary, makes it the real command: so
// the tests run the daemon as a process of its own, and can kill it.
const beTheDaemon = "AUTOMATOND_TEST_IS_THE_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(beTheDaemon) != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"automatond": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			return nil
		},
	})
}

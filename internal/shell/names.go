package shell

import (
	"regexp"
	"slices"
	"strings"
)

// guardVariables are the variables of the platform's environments that scripts
// ask before they act. Reading one that is not set ends the script: dash would
// compare with nothing, and a negative condition would pass.
var guardVariables = map[string]bool{
	"PLATFORM_PROJECT":          true,
	"PLATFORM_BRANCH":           true,
	"PLATFORM_ENVIRONMENT":      true,
	"PLATFORM_ENVIRONMENT_TYPE": true,
}

// role says what a command's name stands for in a script.
type role int

const (
	roleProgram     role = iota // a program outside the shell
	roleCLI                     // the vendor's CLI
	roleBuiltin                 // a built-in of dash that a script may use
	roleUnsupported             // a built-in of dash that has no use here
	roleBash                    // a built-in or keyword of bash, which dash does not find
)

// otherNames gives the role of what is neither the CLI, nor a built-in, nor a
// program.
var otherNames = map[string]role{
	"alias": roleUnsupported, "unalias": roleUnsupported, "bg": roleUnsupported, "fc": roleUnsupported, "fg": roleUnsupported, "jobs": roleUnsupported,
	"kill": roleUnsupported, "pwd": roleUnsupported, "times": roleUnsupported, "ulimit": roleUnsupported,
	".": roleUnsupported,

	"[[": roleBash, "source": roleBash, "let": roleBash, "declare": roleBash, "typeset": roleBash,
	"builtin": roleBash, "shopt": roleBash, "pushd": roleBash, "popd": roleBash, "dirs": roleBash,
	"mapfile": roleBash, "readarray": roleBash, "select": roleBash, "coproc": roleBash, "caller": roleBash,
	"bind": roleBash, "compgen": roleBash, "complete": roleBash, "compopt": roleBash, "disown": roleBash,
	"enable": roleBash, "help": roleBash, "history": roleBash, "logout": roleBash, "newgrp": roleBash,
	"suspend": roleBash, "((": roleBash,
}

// roleOf classifies the name of a command that is no function.
func roleOf(name string) role {
	if isCLI(name) {
		return roleCLI
	}
	if builtinNamed(name).run != nil || name == "exec" {
		return roleBuiltin
	}
	return otherNames[name]
}

// isCLI reports whether a program's name, with or without a path, is the
// vendor's CLI. Its archives for PHP can be executed by themselves.
func isCLI(name string) bool {
	base := strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".phar")
	return base == "platform" || base == "upsun"
}

// IsBranded reports a program that is the vendor's CLI as a reseller calls it, which is not taken for it:
// its projects are on an API of the reseller's.
func IsBranded(program string) bool {
	return slices.Contains([]string{"ibexa_cloud", "magento-cloud", "webpaas"}, program[strings.LastIndexByte(program, '/')+1:])
}

// mention is the CLI's name where it could be a command or be behind one.
var mention = regexp.MustCompile(`(^|[\s;&|(){}"'` + "`" + `$/=!])(platform|upsun)(\.phar)?($|[\s;&|(){}"'` + "`" + `<>])`)

// Mentions reports whether a text that Parse refuses may be meant to call the CLI.
func Mentions(src string) bool { return mention.MatchString(src) }

// hints says what to do instead of using something that is not offered.
var hints = map[string]string{
	"sleep":  "remove it: a call waits until its environment is clean; to spread load, write H into the spec",
	"source": "dash calls it \".\", and no file can be read here; write the variables under variables:",
	".":      "no file can be read here; write the variables under variables:",
	"[[":     "write [ ... ] with =, and -a or && between conditions",
	"let":    "write x=$((...))",
	"date":   overSpec,
	"tee":    "remove it; every run is logged",
	"logger": "remove it; every run is logged",
	"cat":    "write the text with echo",
	"curl":   tellsEnd,
	"mail":   tellsEnd,
	"wget":   tellsEnd,

	"base64":   holdsValues,
	"jq":       holdsValues,
	"awk":      useCase,
	"basename": useCase,
	"cut":      useCase,
	"egrep":    useCase,
	"grep":     useCase,
	"sed":      useCase,
	"tr":       useCase,
	"expr":     "write $((...)) for numbers; for texts " + useCase,
	"seq":      "write the numbers themselves, as in: for i in 1 2 3",
	"env":      readsValue,
	"printenv": readsValue,
	"pgrep":    excludes,
	"flock":    excludes,
	"which":    "write command -v",
	"yes":      "remove it: nothing asks back",
}

const (
	tellsEnd    = "leave it to a cron in the container; how runs end is told by the metrics and by `automatond runs`"
	holdsValues = "write the value below variables: and read it as $NAME; what the container has in PLATFORM_VARIABLES and the like is not here"
	useCase     = `let the shell do it, as in: case "$PLATFORM_BRANCH" in feature/*) ... ;; esac`
	overSpec    = "write the days and times into the spec; where the time is only told, leave it out: every run is logged with it"
	readsCall   = "write the call on its own, and use its exit status; the environment's name and type are in PLATFORM_BRANCH and PLATFORM_ENVIRONMENT_TYPE"
	readsValue  = "read the variable itself, as $NAME"
	excludes    = "remove it: a cron whose previous run is still going is skipped, which its overlap says"
)

package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/automatond/automatond/internal/app"
	"github.com/automatond/automatond/internal/config"
)

func configFlag(f *pflag.FlagSet, paths *[]string) {
	f.StringArrayVarP(paths, "config", "c", []string{config.DefaultPath}, "configuration file, or directory of *.yaml files; may be repeated")
}

// loadOffline reads the configuration for a command that only shows something. What is wrong with it
// is written to messages; beside the error, which is the command's end, there may be the crons that are valid.
func loadOffline(messages io.Writer, paths []string) (*config.Config, error) {
	cfg, diagnostics := config.Load(config.Input{Paths: paths, LookupEnv: os.LookupEnv, Offline: true, Partial: true})
	if diagnostics.HasErrors() {
		return cfg, invalid(messages, diagnostics)
	}
	return cfg, nil
}

// invalid writes what is wrong with a configuration, and returns the end of a command that needs it.
func invalid(messages io.Writer, diagnostics config.Diagnostics) error {
	writeDiagnostics(messages, diagnostics)
	return &exitError{code: exitInvalid, message: "the configuration is not valid"}
}

// orInvalid does the same for an error of the daemon's, and returns every other as it is.
func orInvalid(messages io.Writer, err error) error {
	if e, ok := errors.AsType[*app.ConfigError](err); ok {
		return invalid(messages, e.Diagnostics)
	}
	return err
}

// probeFlag is the same for the daemon and for the command that asks it.
func probeFlag(f *pflag.FlagSet, address *string, usage string) {
	f.StringVar(address, "probe.listen-address", ":8633", usage)
}

func outputFlag(f *pflag.FlagSet, output *string) {
	f.StringVarP(output, "output", "o", "text", "text or json")
}

// checkOutput refuses an output that no command has.
func checkOutput(output *string) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) error {
		if *output != "text" && *output != "json" {
			return usage(errors.New("--output is text or json, not " + *output))
		}
		return nil
	}
}

func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

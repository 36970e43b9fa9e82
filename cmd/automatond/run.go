package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/app"
)

func newRun(version app.Version) *cobra.Command {
	var (
		o         app.Options
		logLevel  string
		logFormat string
	)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run the daemon until SIGTERM or SIGINT. SIGHUP lets it read its configuration again.

Without --sandbox it asks the real platform, with the API token of an automation
user: from PLATFORMSH_CLI_TOKEN or UPSUN_CLI_TOKEN, or as the configuration says.`,
		Example: `  automatond run --sandbox --config examples/demo.yaml
  automatond run --config /etc/automatond --data /var/lib/automatond`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger, err := newLogger(cmd.ErrOrStderr(), logFormat, logLevel)
			if err != nil {
				return usage(err)
			}
			o.Lookup, o.Version, o.Logger = os.LookupEnv, version, logger
			hangup := make(chan os.Signal, 1)
			signal.Notify(hangup, syscall.SIGHUP)
			defer signal.Stop(hangup)
			defer boundMemory()()
			o.Hangup = hangup
			return orInvalid(cmd.ErrOrStderr(), app.Run(cmd.Context(), o))
		},
	}
	f := cmd.Flags()
	configFlag(f, &o.Paths)
	f.BoolVar(&o.Sandbox, "sandbox", false, "use a simulated platform on this machine; nothing real happens")
	f.BoolVar(&o.Observe, "observe", false, "decide and record everything, send nothing")
	dataFlag(f, &o.Data)
	f.StringVar(&o.AdoptLedger, "adopt-ledger", "", "go on with the ledger of another environment, by its installation's id")
	f.StringVar(&o.Store, "store", "", "postgres:// URL of a database that replicas share (default a file in the data directory)")
	f.StringVar(&o.Web.ListenAddress, "web.listen-address", ":8632", "address for metrics and pages")
	f.StringVar(&o.Web.ConfigFile, "web.config.file", "", "TLS and authentication, in exporter-toolkit's format")
	probeFlag(f, &o.Web.ProbeAddress, "address for health probes, without authentication; empty for none")
	f.StringVar(&logLevel, "log.level", "info", "debug, info, warn or error")
	f.StringVar(&logFormat, "log.format", "auto", "json, console, or auto: console on a terminal")
	f.DurationVar(&o.Timing.Settle, "test.settle", 0, "settle time of requests in doubt")
	f.DurationVar(&o.Timing.Request, "test.request-timeout", 0, "deadline of one request")
	f.DurationVar(&o.Timing.Lease, "test.lease", 0, "life of a lease")
	f.DurationVar(&o.Every, "test.every", 0, "fire each cron so often, whatever its spec says")
	for _, name := range []string{"test.settle", "test.request-timeout", "test.lease", "test.every"} {
		if err := f.MarkHidden(name); err != nil {
			panic(err) // the name stands a few lines above
		}
	}
	return cmd
}

// newLogger writes JSON, or lines for a person when a person is looking.
func newLogger(w io.Writer, format, level string) (zerolog.Logger, error) {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil || parsed < zerolog.DebugLevel || parsed > zerolog.ErrorLevel {
		return zerolog.Logger{}, errors.New("--log.level is debug, info, warn or error, not " + level)
	}
	switch format {
	case "auto", "json", "console":
	default:
		return zerolog.Logger{}, errors.New("--log.format is auto, json or console, not " + format)
	}
	zerolog.DurationFieldUnit = time.Second
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	if format == "console" || format == "auto" && terminal(w) {
		w = zerolog.ConsoleWriter{
			Out: w, TimeFormat: time.TimeOnly, NoColor: !colored(w),
			FieldsExclude: []string{"component"},
			FieldsOrder:   []string{"cron", "project", "environment", "task", "outcome", "reason", "detail"},
			FormatPrepare: alignMessage,
		}
	}
	return zerolog.New(w).Level(parsed).With().Timestamp().Logger(), nil
}

// alignMessage lets the keys behind the messages of runs begin in one column.
func alignMessage(event map[string]any) error {
	event[zerolog.MessageFieldName] = fmt.Sprintf("%-24v", event[zerolog.MessageFieldName])
	return nil
}

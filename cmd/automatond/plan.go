package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/plan"
)

func newPlan() *cobra.Command {
	var (
		paths     []string
		output    string
		target    plan.Offline
		variables []string
	)
	cmd := &cobra.Command{
		Use:   "plan --branch BRANCH",
		Short: "Show what every cron would do on a branch, and why, without asking the platform",
		Example: `  automatond plan --config automatond.yaml --branch master
  automatond plan --branch feature/x --environment-type development --variable RUN_CRON=Yes`,
		PreRunE: checkOutput(&output),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if target.Branch == "" {
				return usage(errors.New("--branch is required: name the branch of an environment, as in --branch main"))
			}
			var err error
			if target.Variables, err = pairs(variables); err != nil {
				return usage(err)
			}
			cfg, faulty := loadOffline(cmd.ErrOrStderr(), paths)
			if cfg == nil {
				return faulty
			}
			if names := cfg.DiscoveryNames(); len(names) > 0 {
				cfg = asIfFound(cfg, target.Project)
				fmt.Fprintf(cmd.ErrOrStderr(), "note: the projects of %s are found out at run time; one is looked at as if it were theirs\n", strings.Join(names, ", "))
			}
			if err := target.Check(cfg.Projects); err != nil {
				return usage(err)
			}
			if remark := target.Remark(); remark != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", remark)
			}
			report := target.For(cmd.Context(), cfg.Jobs)
			for _, name := range cfg.LeftOut {
				report.Crons = append(report.Crons, plan.Invalid(name))
			}
			if output == "json" {
				return cmp.Or(writeJSON(cmd.OutOrStdout(), report), faulty)
			}
			writePlan(cmd.OutOrStdout(), report)
			for _, flag := range missingFlags(report) {
				fmt.Fprintf(cmd.ErrOrStderr(), "note: %s is not given, and a condition asks for it\n", flag)
			}
			return faulty
		},
	}
	f := cmd.Flags()
	configFlag(f, &paths)
	outputFlag(f, &output)
	f.StringVarP(&target.Branch, "branch", "b", "", "branch of the environment")
	f.StringVar(&target.MachineName, "machine-name", "", "the environment's machine name, such as master-7rqtwti")
	f.StringVar(&target.EnvironmentType, "environment-type", "", "production, staging or development")
	f.StringVar(&target.Status, "status", "", "the environment's status, such as active or paused")
	f.StringVar(&target.DefaultBranch, "default-branch", "", "the project's default branch, for $default_branch and -e .")
	f.StringVarP(&target.Project, "project", "p", "", "project, by alias or id")
	f.StringArrayVar(&variables, "variable", nil, "a user variable a script may read, NAME=VALUE; may be repeated")
	return cmd
}

// asIfFound makes entries whose projects are found out at run time stand for one project: that which is asked
// about, or without a name one of which nothing is known. Crons that are not for it are left out.
func asIfFound(cfg *config.Config, project string) *config.Config {
	id := project
	for _, p := range cfg.Projects {
		if p.IsCalled(project) {
			id = p.ID
		}
	}
	found := map[string][]config.Found{}
	for _, d := range cfg.Discoveries {
		found[d.Name] = []config.Found{{ID: id}}
	}
	cfg = cfg.With(found)
	if id == "" {
		return cfg
	}
	every := cfg.Jobs
	cfg.Jobs = nil
	for _, j := range every {
		if len(j.Projects) > 0 {
			cfg.Jobs = append(cfg.Jobs, j)
		}
	}
	return cfg
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func pairs(list []string) (map[string]string, error) {
	variables := make(map[string]string, len(list))
	for _, pair := range list {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--variable is NAME=VALUE, not %q", pair)
		}
		variables[name] = value
	}
	return variables, nil
}

func writePlan(w io.Writer, report plan.Report) {
	for _, c := range report.Crons {
		fmt.Fprint(w, c.Cron)
		if c.Project != "" {
			fmt.Fprintf(w, " in %s", c.Project)
		}
		fmt.Fprintf(w, ": %s", c.Decision)
		if c.Reason != "" {
			fmt.Fprintf(w, " (%s)", c.Reason)
		}
		if c.Message != "" {
			fmt.Fprintf(w, ": %s", c.Message)
		}
		fmt.Fprintln(w)
		for _, condition := range c.Conditions {
			writeCondition(w, c.File, condition)
		}
		if offset := c.OffsetSeconds; offset != nil && c.Decision == plan.Dispatch {
			fmt.Fprintf(w, "  leaves %s after the scheduled time, within its spread of %s\n", seconds(*offset), seconds(c.SpreadSeconds))
		}
		for i, t := range c.Tasks {
			fmt.Fprintf(w, "  %s on %s", t.Kind, t.Environment)
			if t.Project != "" {
				fmt.Fprintf(w, " of %s", t.Project)
			}
			switch {
			case i < len(c.Calls):
				fmt.Fprintf(w, "   from: %s", strings.Join(c.Calls[i], " "))
			case i > 0 && c.OnFailure == "stop":
				fmt.Fprint(w, "   if the step before it succeeds")
			case i > 0:
				fmt.Fprint(w, "   when the step before it is over")
			}
			fmt.Fprintln(w)
		}
	}
}

// missingFlags are those that say of the target what a condition asked for and did not find.
func missingFlags(report plan.Report) []string {
	var flags []string
	for _, c := range report.Crons {
		for _, condition := range c.Conditions {
			flag := ""
			switch condition.Value {
			case "PLATFORM_ENVIRONMENT_TYPE is not set", "environment type is not known":
				flag = "--environment-type"
			case "PLATFORM_ENVIRONMENT is not set":
				flag = "--machine-name"
			case "PLATFORM_PROJECT is not set":
				flag = "--project"
			}
			if flag != "" && !slices.Contains(flags, flag) {
				flags = append(flags, flag)
			}
		}
	}
	return flags
}

// writeCondition shows a condition on one line if it fits, else on two.
func writeCondition(w io.Writer, file string, c plan.Condition) {
	condition := c.Condition
	if c.Line > 0 {
		condition = fmt.Sprintf("%s:%d: %s", file, c.Line, condition)
	}
	answer := "→ " + c.Answer
	if c.Value != "" {
		answer = c.Value + " " + answer
	}
	separator := ": "
	if utf8.RuneCountInString("  "+condition+separator+answer) > 80 {
		separator = ":\n      "
	}
	fmt.Fprintf(w, "  %s%s%s\n", condition, separator, answer)
}

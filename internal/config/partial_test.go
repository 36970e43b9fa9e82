package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoad_LeavesOutOfAPartialConfigurationWhatIsNotValid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "automatond.yaml")
	for name, tt := range map[string]struct {
		text    string
		is, out []string
	}{
		"one of two": {
			"crons: {a: {spec: '60 5 * * *', task: {backup: {}}}, b: {spec: '0 5 * * *', task: {backup: {}}}}", []string{"b"}, []string{"a"},
		},
		"a fault that two share": {
			"crons: {a: &a {spec: '0 5 * * *', timeout: 25h, task: {backup: {}}}, b: *a, c: {<<: *a, timeout: 1h}}", []string{"c"}, []string{"a", "b"},
		},
		"all":                     {"crons: {a: {spec: '60 5 * * *', task: {backup: {}}}}", nil, nil},
		"beside another mistake":  {"nonsense: 1\ncrons: {a: {spec: '0 5 * * *', task: {backup: {}}}}", nil, nil},
		"nothing that is invalid": {"crons: {a: {spec: '0 5 * * *', task: {backup: {}}}}", []string{"a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var is, out []string
			cfg, _ := Load(Input{Paths: []string{file}, Offline: true, Partial: true})
			if cfg != nil {
				out = cfg.LeftOut
				for _, j := range cfg.Jobs {
					is = append(is, j.Name)
				}
			}
			if diff := cmp.Diff([][]string{tt.is, tt.out}, [][]string{is, out}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

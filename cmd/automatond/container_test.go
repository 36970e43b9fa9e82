package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/sandbox"
)

const containerPage = "docs/container.md"

// composeFile is what the pages' Compose files say of automatond.
type composeFile struct {
	Services map[string]struct {
		Volumes     []string
		Command     []string
		Healthcheck struct{ Test []string }
	}
}

// manifest is a Kubernetes object, as far as the page's are looked at.
type manifest struct {
	Kind string
	Data map[string]string
	Spec struct {
		Template struct {
			Spec struct{ Containers []podContainer }
		}
	}
}

type podContainer struct {
	Name  string
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Liveness     probe `yaml:"livenessProbe"`
	Readiness    probe `yaml:"readinessProbe"`
	VolumeMounts []struct {
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// documents decodes those documents of a page's YAML blocks that contain a text.
func documents[T any](t *testing.T, page, containing string) []T {
	t.Helper()
	var list []T
	for _, block := range yamlBlocks(t, page) {
		if !strings.Contains(block, containing) {
			continue
		}
		for decoder := yaml.NewDecoder(strings.NewReader(block)); ; {
			var document T
			if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v in\n%s", page, err, block)
			}
			list = append(list, document)
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s has no YAML with %q", page, containing)
	}
	return list
}

// TestContainerDocs_ComposeFilesFitTheImage holds the volumes against the Dockerfile, and gives the
// commands to the real command line, with --help so that it only reads them.
func TestContainerDocs_ComposeFilesFitTheImage(t *testing.T) {
	for _, page := range []string{"README.md", containerPage} {
		for _, file := range documents[composeFile](t, page, "services:") {
			service := file.Services["automatond"]
			if test := service.Healthcheck.Test; test != nil {
				if !slices.Equal(test[:2], []string{"CMD", "/bin/automatond"}) {
					t.Errorf("%s: healthcheck %q", page, test)
				}
				readCommand(t, test[2:])
			}
			if service.Command != nil {
				readCommand(t, service.Command)
				continue // an override
			}
			if !slices.Contains(service.Volumes, "automatond:"+dataVolume(t)) {
				t.Errorf("%s: no volume for the data in %q", page, service.Volumes)
			}
		}
	}
}

func readCommand(t *testing.T, args []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append(slices.Clone(args), "--help")...)
	cmd.Env = []string{beTheDaemon + "=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("automatond %q: %v\n%s", args, err, out)
	}
}

var volume = regexp.MustCompile(`(?m)^VOLUME (\S+)$`)

func dataVolume(t *testing.T) string {
	t.Helper()
	found := volume.FindStringSubmatch(readPage(t, "Dockerfile"))
	if found == nil {
		t.Fatal("the Dockerfile has no volume")
	}
	return found[1]
}

// TestContainerDocs_ManifestsFitTheDaemon loads the configuration in the ConfigMap with the daemon,
// and asks the daemon what the probes of the Deployment ask.
func TestContainerDocs_ManifestsFitTheDaemon(t *testing.T) {
	var kinds []string
	for _, m := range documents[manifest](t, containerPage, "apiVersion:") {
		kinds = append(kinds, m.Kind)
		for name, content := range m.Data {
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, Offline: true}); cfg == nil {
				t.Errorf("%s: %v", name, diagnostics)
			}
		}
		for _, c := range m.Spec.Template.Spec.Containers {
			if c.Name == "automatond" {
				checkPodContainer(t, c)
			}
		}
	}
	if want := []string{"ConfigMap", "PersistentVolumeClaim", "Deployment"}; !slices.Equal(kinds, want) {
		t.Errorf("manifests %q, want %q", kinds, want)
	}
}

func checkPodContainer(t *testing.T, c podContainer) {
	t.Helper()
	ports, mounts := map[string]int{}, []string{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	for _, m := range c.VolumeMounts {
		mounts = append(mounts, m.MountPath)
	}
	if want := []string{"/etc/automatond", dataVolume(t)}; !slices.Equal(mounts, want) {
		t.Errorf("mounted at %q, want %q", mounts, want)
	}
	s := newSite(t, sandbox.Options{Open: true}, hourly(1, justNow()))
	d := s.start()
	d.eventually("ready", d.ready)
	_, probes := d.addresses()
	for _, p := range []probe{c.Liveness, c.Readiness} {
		if ports[p.HTTPGet.Port] != 8633 {
			t.Errorf("probe on port %s of %v, want 8633", p.HTTPGet.Port, ports)
		}
		if status, body := d.get(probes + p.HTTPGet.Path); status != 200 {
			t.Errorf("%s is answered %d %s", p.HTTPGet.Path, status, body)
		}
	}
	d.stop()
}

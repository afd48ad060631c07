package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func readDeploy(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// parseAgent checks the arguments of a command line of an agent.
func parseAgent(t *testing.T, args []string) {
	t.Helper()
	if len(args) == 0 || args[0] != "agent" {
		t.Fatalf("not an agent: %q", args)
	}
	c := newAgentCommand()
	if err := c.ParseFlags(args[1:]); err != nil || c.Flags().NArg() > 0 || !c.Flags().Changed("join") {
		t.Errorf("%q: %v, arguments %q", args, err, c.Flags().Args())
	}
}

// The unit of systemd is accepted by systemd, and its command line, with the example of an environment file, by pushbench.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	unit := readDeploy(t, "pushbench-agent.service")
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/pushbench (.*)$`).FindStringSubmatch(unit)
	if start == nil {
		t.Fatal("no ExecStart")
	}
	command := start[1]
	for line := range strings.Lines(readDeploy(t, "agent.env")) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		command = strings.NewReplacer("${"+name+"}", value, "$"+name, value).Replace(command)
	}
	if strings.Contains(command, "$") {
		t.Errorf("agent.env lacks a variable of %s", command)
	}
	parseAgent(t, strings.Fields(command))

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pushbench-agent.service")
	if err := os.WriteFile(file, []byte(strings.Replace(unit, "/usr/local/bin/pushbench", self, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := exec.Command("systemd-analyze", "verify", "--man=no", file)
	if out, err := verify.CombinedOutput(); err != nil || bytes.Contains(out, []byte("pushbench-agent.service:")) {
		t.Errorf("systemd-analyze, which make setup installs: %v: %s", err, out)
	}
}

// The fields of the manifest, as Kubernetes defines them for apiVersion v1 and batch/v1.
type (
	metadata struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	secret struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   metadata          `yaml:"metadata"`
		Type       string            `yaml:"type"`
		StringData map[string]string `yaml:"stringData"`
	}
	job struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   metadata `yaml:"metadata"`
		Spec       struct {
			Parallelism             int `yaml:"parallelism"`
			Completions             int `yaml:"completions"`
			BackoffLimit            int `yaml:"backoffLimit"`
			ActiveDeadlineSeconds   int `yaml:"activeDeadlineSeconds"`
			TTLSecondsAfterFinished int `yaml:"ttlSecondsAfterFinished"`
			Template                struct {
				Metadata metadata `yaml:"metadata"`
				Spec     pod      `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	pod struct {
		RestartPolicy                 string `yaml:"restartPolicy"`
		AutomountServiceAccountToken  bool   `yaml:"automountServiceAccountToken"`
		TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
		Affinity                      struct {
			PodAntiAffinity struct {
				Required []struct {
					LabelSelector struct {
						MatchLabels map[string]string `yaml:"matchLabels"`
					} `yaml:"labelSelector"`
					TopologyKey string `yaml:"topologyKey"`
				} `yaml:"requiredDuringSchedulingIgnoredDuringExecution"`
			} `yaml:"podAntiAffinity"`
		} `yaml:"affinity"`
		Containers []struct {
			Name    string   `yaml:"name"`
			Image   string   `yaml:"image"`
			Command []string `yaml:"command"`
			Args    []string `yaml:"args"`
			Env     []struct {
				Name      string `yaml:"name"`
				ValueFrom struct {
					SecretKeyRef struct {
						Name string `yaml:"name"`
						Key  string `yaml:"key"`
					} `yaml:"secretKeyRef"`
					FieldRef struct {
						FieldPath string `yaml:"fieldPath"`
					} `yaml:"fieldRef"`
				} `yaml:"valueFrom"`
			} `yaml:"env"`
			Resources struct {
				Requests map[string]string `yaml:"requests"`
				Limits   map[string]string `yaml:"limits"`
			} `yaml:"resources"`
			SecurityContext struct {
				AllowPrivilegeEscalation bool                `yaml:"allowPrivilegeEscalation"`
				ReadOnlyRootFilesystem   bool                `yaml:"readOnlyRootFilesystem"`
				RunAsNonRoot             bool                `yaml:"runAsNonRoot"`
				RunAsUser                int64               `yaml:"runAsUser"`
				Capabilities             map[string][]string `yaml:"capabilities"`
				SeccompProfile           map[string]string   `yaml:"seccompProfile"`
			} `yaml:"securityContext"`
		} `yaml:"containers"`
	}
)

// The manifest has only fields of Kubernetes, its parts refer to each other, and its command line is one of an agent.
func TestKubernetesManifest(t *testing.T) {
	t.Parallel()
	first, second, _ := strings.Cut(readDeploy(t, "kubernetes.yaml"), "\n---\n")
	var s secret
	var j job
	if err := yaml.UnmarshalWithOptions([]byte(first), &s, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions([]byte(second), &j, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if s.APIVersion != "v1" || s.Kind != "Secret" || s.Type != "Opaque" || j.APIVersion != "batch/v1" || j.Kind != "Job" {
		t.Errorf("%s %s and %s %s", s.APIVersion, s.Kind, j.APIVersion, j.Kind)
	}
	p := j.Spec.Template.Spec
	if j.Spec.Parallelism != j.Spec.Completions || j.Spec.BackoffLimit != 0 || p.RestartPolicy != "Never" || len(p.Containers) != 1 {
		t.Errorf("%+v", j.Spec)
	}
	for _, apart := range p.Affinity.PodAntiAffinity.Required {
		for label, value := range apart.LabelSelector.MatchLabels {
			if j.Spec.Template.Metadata.Labels[label] != value {
				t.Errorf("no pod has the label %s=%s", label, value)
			}
		}
	}
	c := p.Containers[0]
	args := strings.Join(c.Args, " ")
	for _, one := range c.Env {
		from := one.ValueFrom
		if from.FieldRef.FieldPath == "" && (from.SecretKeyRef.Name != s.Metadata.Name || s.StringData[from.SecretKeyRef.Key] == "") {
			t.Errorf("%s refers to %+v, which the Secret lacks", one.Name, from.SecretKeyRef)
		}
		args = strings.ReplaceAll(args, "$("+one.Name+")", "x")
	}
	if strings.Contains(args, "$") {
		t.Errorf("a variable of %s is not set", args)
	}
	parseAgent(t, strings.Fields(args))
}

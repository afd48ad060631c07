package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"pushbench/results/metric"
)

// TestSchemaDescribesEveryField checks the descriptions, which an editor shows at the cursor.
func TestSchemaDescribesEveryField(t *testing.T) {
	var visit func(path string, s schema)
	visit = func(path string, s schema) {
		if s.Description == "" {
			t.Errorf("%s has no description: comment the field in scenario.go", path)
		}
		for name, property := range s.Properties {
			visit(path+"."+name, property)
		}
		if s.Items != nil {
			visit(path+"[]", *s.Items)
		}
	}
	visit("scenario", readSchema(t))
}

// TestSchemaNamesTheFieldsOfScenario checks that the schema file is up to date with Scenario.
func TestSchemaNamesTheFieldsOfScenario(t *testing.T) {
	var visit func(path string, g reflect.Type, s schema)
	visit = func(path string, g reflect.Type, s schema) {
		if g.Kind() == reflect.Slice && s.Items != nil {
			g, s = g.Elem(), *s.Items
		}
		if g.Kind() != reflect.Struct || g == reflect.TypeFor[metric.Assertion]() { // which is a text in YAML
			return
		}
		fields := 0
		for i := range g.NumField() {
			name, _, _ := strings.Cut(g.Field(i).Tag.Get("yaml"), ",")
			if name == "-" { // it is not in files
				continue
			}
			fields++
			was := g.Field(i).Tag.Get("was")
			if inJSON, _, _ := strings.Cut(g.Field(i).Tag.Get("json"), ","); inJSON != name && inJSON != "-" {
				t.Errorf("%s.%s is %q in JSON", path, name, inJSON)
			}
			if old, ok := s.Properties[was]; was != "" {
				fields++
				if !ok || !old.Deprecated || old.Type != s.Properties[name].Type {
					t.Errorf("%s.%s is not in the schema as a deprecated name of %s", path, was, name)
				}
			}
			property, ok := s.Properties[name]
			if !ok {
				t.Errorf("%s.%s is not in the schema", path, name)
			}
			visit(path+"."+name, g.Field(i).Type, property)
		}
		if fields != len(s.Properties) {
			t.Errorf("%s has %d fields in Go and %d in the schema", path, fields, len(s.Properties))
		}
	}
	visit("scenario", reflect.TypeFor[Scenario](), readSchema(t))
}

func TestSchemaAcceptsTheEmbeddedScenarios(t *testing.T) {
	s := readSchema(t)
	for _, name := range Names() {
		source, err := Source(name)
		if err != nil {
			t.Fatal(err)
		}
		resolved, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{source, resolved.YAML()} {
			var value any
			if err := yaml.Unmarshal(text, &value); err != nil {
				t.Fatal(err)
			}
			if err := s.check(name, value); err != nil {
				t.Error(err)
			}
		}
	}
}

// beyondSchema lists the mistakes that only the reader finds: YAML syntax, limits of quantities with
// units, and conditions between fields.
var beyondSchema = []string{
	"anchor", "assertion-no-comparison", "assertion-no-unit", "assertion-unknown-metric",
	"assertion-unmeasured", "batching-delay-too-long", "batching-delay-with-its-sweep", "complex-key",
	"connect-rate-too-low", "count-octal", "description-escape", "drain-too-short-for-the-batching-delay",
	"drain-too-short-for-the-network", "drain-too-short", "drain-zero", "forward-no-webhook",
	"forward-with-its-sweep", "heartbeat-too-short", "heartbeat-with-its-sweep", "hosts-too-many",
	"idle-timeout-fraction", "idle-timeout-without-a-router", "library-with-its-sweep",
	"longpoll-timeout-too-long", "margin-zero", "merge-key", "nat-with-a-stream",
	"network-loss-with-a-stream", "network-rate-zero", "network-reorder", "network-rtt",
	"new-connection-with-its-sweep", "per-client", "poll-interval", "prices-date", "prices-source", "published-no-configuration",
	"published-no-metric", "rate-too-high", "rate-too-low", "rate-zero", "replies-of-several-clients",
	"replies-to-clients", "requirement-of-a-transport", "rtt-with-its-sweep", "servers-too-many",
	"servers-with-publish-only-clients", "servers-with-publishing-clients", "short-lived-behind-a-router",
	"short-lived-too-many", "size-too-large", "size-too-small", "sizes-twice",
	"sweep-batching-delay-of-short-polling", "sweep-batching-delay-too-long", "sweep-batching-delay-twice",
	"sweep-empty", "sweep-forward-without-a-router", "sweep-heartbeat-of-short-polling",
	"sweep-heartbeat-too-short", "sweep-interval-of-streams", "sweep-interval-zero",
	"sweep-new-connection-of-streams", "sweep-payload-too-small", "sweep-payload-with-sizes",
	"sweep-rate-too-low", "tls-over-a-stream", "tls-with-its-sweep", "too-many-deliveries",
	"too-many-subscriptions", "two-names", "upstream-with-clients", "upstream-with-several-servers",
	"warmup-too-long", "webhook-over-a-stream", "webhook-over-tls", "window-above-the-limit",
	"window-too-long", "window-zero",
}

func TestSchemaRejectsBrokenScenarios(t *testing.T) {
	s := readSchema(t)
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var accepted []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if yaml.Unmarshal(text, &value) == nil && s.check("", value) == nil {
			accepted = append(accepted, strings.TrimSuffix(filepath.Base(file), ".yaml"))
		}
	}
	if diff := cmp.Diff(beyondSchema, accepted); diff != "" {
		t.Errorf("broken scenarios that the schema accepts -want +got:\n%s", diff)
	}
}

// A schema is the part of JSON Schema that Schema uses. Any other keyword is an error, so that the test
// checks every rule.
type schema struct {
	Version              string            `json:"$schema"`
	Title                string            `json:"title"`
	Description          string            `json:"description"`
	Default              any               `json:"default"`
	Type                 string            `json:"type"`
	Properties           map[string]schema `json:"properties"`
	AdditionalProperties bool              `json:"additionalProperties"`
	Required             []string          `json:"required"`
	OneOf                []schema          `json:"oneOf"`
	AllOf                []schema          `json:"allOf"`
	Deprecated           bool              `json:"deprecated"`
	Items                *schema           `json:"items"`
	MinItems             int               `json:"minItems"`
	MaxItems             int               `json:"maxItems"`
	UniqueItems          bool              `json:"uniqueItems"`
	Enum                 []any             `json:"enum"`
	Pattern              string            `json:"pattern"`
	MaxLength            int               `json:"maxLength"`
	Minimum              float64           `json:"minimum"`
	Maximum              float64           `json:"maximum"`
}

func readSchema(t *testing.T) schema {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(Schema()))
	decoder.DisallowUnknownFields()
	var s schema
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// check validates a decoded YAML value.
func (s schema) check(path string, value any) error {
	switch s.Type {
	case "object":
		return s.checkObject(path, value)
	case "array":
		return s.checkArray(path, value)
	case "string":
		text, ok := value.(string)
		switch {
		case !ok,
			s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text),
			s.MaxLength > 0 && utf8.RuneCountInString(text) > s.MaxLength,
			s.Enum != nil && !slices.Contains(s.Enum, any(text)):
			return fmt.Errorf("%s: %v is not an allowed string", path, value)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			return fmt.Errorf("%s: %v is not a boolean", path, value)
		}
	default:
		return s.checkNumber(path, value)
	}
	return nil
}

func (s schema) checkObject(path string, value any) error {
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v is not an object", path, value)
	}
	for name, property := range object {
		known, ok := s.Properties[name]
		if !ok {
			return fmt.Errorf("%s.%s is not known", path, name)
		}
		if err := known.check(path+"."+name, property); err != nil {
			return err
		}
	}
	if !s.hasRequired(object) || !s.hasOneOf(object) || slices.ContainsFunc(s.AllOf, func(all schema) bool { return !all.hasOneOf(object) }) {
		return fmt.Errorf("%s: a field is missing, or two exclude each other", path)
	}
	return nil
}

func (s schema) hasOneOf(object map[string]any) bool {
	matching := 0
	for _, one := range s.OneOf {
		if one.hasRequired(object) {
			matching++
		}
	}
	return s.OneOf == nil || matching == 1
}

func (s schema) hasRequired(object map[string]any) bool {
	return !slices.ContainsFunc(s.Required, func(name string) bool { _, ok := object[name]; return !ok })
}

func (s schema) checkArray(path string, value any) error {
	items, ok := value.([]any)
	if !ok || len(items) < s.MinItems || len(items) > s.MaxItems {
		return fmt.Errorf("%s: %v is not an array of an allowed length", path, value)
	}
	for i, item := range items {
		if err := s.Items.check(fmt.Sprintf("%s[%d]", path, i), item); err != nil {
			return err
		}
		equal := func(other any) bool { return reflect.DeepEqual(item, other) }
		if s.UniqueItems && slices.ContainsFunc(items[:i], equal) {
			return fmt.Errorf("%s: %v twice", path, item)
		}
	}
	return nil
}

func (s schema) checkNumber(path string, value any) error {
	number, whole := 0.0, true
	switch n := value.(type) {
	case uint64:
		number = float64(n)
	case int64:
		number = float64(n)
	case float64:
		number, whole = n, false
	default:
		return fmt.Errorf("%s: %v is not a number", path, value)
	}
	if s.Type == "integer" && !whole || number < s.Minimum || number > s.Maximum {
		return fmt.Errorf("%s: %v is not an allowed %s", path, value, s.Type)
	}
	return nil
}

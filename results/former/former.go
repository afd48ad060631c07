// Package former translates JSON with former names into JSON with current ones.
//
// It owns the translation alone: a package that reads files or responses of earlier versions has
// the table of its names. It must never accept a current name and its former one together.
package former

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Any is the key of Names that stands for every key of a map.
const Any = "*"

// Names are the former names of a JSON object, by key. An object without an entry is copied.
type Names map[string]Name

// A Name describes a key that had another name, or whose value contains former names. The zero
// value changes nothing.
type Name struct {
	Now  string              // current key; empty: the former one. Not for Any
	Key  func(string) string // current form of a key; only for Any
	Text func(string) string // current form of a text, and of each text in a list or a list of lists
	In   Names               // names of an object, and of each object in such a list
}

// maxLists is the number of lists that may be nested: deeper ones are copied, so that the time is
// proportional to the length.
const maxLists = 2

// Words returns a function that replaces the texts that are keys of current.
func Words(current map[string]string) func(string) string {
	return func(text string) string {
		if now, ok := current[text]; ok {
			return now
		}
		return text
	}
}

// Translate returns JSON with current names. It returns an error for invalid JSON, and for an
// object that has two keys of the same current name.
func (n Names) Translate(data []byte) ([]byte, error) {
	return Name{In: n}.value(data, 0)
}

// value translates a value of a key, inside a number of lists.
func (n Name) value(data json.RawMessage, lists int) (json.RawMessage, error) {
	switch trimmed := bytes.TrimLeft(data, " \t\r\n"); {
	case bytes.HasPrefix(trimmed, []byte("{")) && n.In != nil:
		return n.In.object(trimmed)
	case bytes.HasPrefix(trimmed, []byte("[")) && (n.In != nil || n.Text != nil) && lists < maxLists:
		return n.list(trimmed, lists+1)
	case bytes.HasPrefix(trimmed, []byte(`"`)) && n.Text != nil:
		var text string
		if err := json.Unmarshal(trimmed, &text); err != nil {
			return nil, err
		}
		return json.Marshal(n.Text(text))
	}
	return data, nil
}

func (n Name) list(data json.RawMessage, lists int) (json.RawMessage, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for i := range all {
		var err error
		if all[i], err = n.value(all[i], lists); err != nil {
			return nil, err
		}
	}
	return json.Marshal(all)
}

func (n Names) object(data json.RawMessage) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	current := make(map[string]json.RawMessage, len(all))
	for key, value := range all {
		name, now := n.of(key)
		if _, twice := current[now]; twice {
			return nil, fmt.Errorf("it has %q twice: also by a former name", now)
		}
		var err error
		if current[now], err = name.value(value, 0); err != nil {
			return nil, err
		}
	}
	return json.Marshal(current)
}

// of returns the entry of a key, and the current key.
func (n Names) of(key string) (Name, string) {
	name, ok := n[key]
	if !ok {
		name = n[Any]
	}
	switch {
	case name.Key != nil:
		return name, name.Key(key)
	case name.Now != "":
		return name, name.Now
	}
	return name, key
}

package app

import (
	"bytes"
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"pushbench/bench/identify"
	"pushbench/scenarios"
	"pushbench/servers/foreign"
)

// form is a target file with every field, each with its explanation. Its blocks are separated by empty lines.
//
//go:embed form.yaml
var form string

// fillForm is a target file to fill in for a running server, with what is known about it. The path is that of the
// user's URL.
func fillForm(url, path string, found identify.Server) (string, error) {
	var blocks []string
	for block := range strings.SplitSeq(form, "\n\n") {
		switch key(block) {
		case "url":
			block = strings.Replace(block, "# url: http://127.0.0.1:8080", "url: "+url, 1)
		case "start":
			block = "# Instead of url: how to start it.\n" + comment(block[strings.Index(block, "start:"):])
		case "transports":
			block = describe(block, path, found)
		case "publish":
			if found.Events && found.Socket == "" {
				block = toggle(block, "frame", "ack", "post")
			}
		}
		blocks = append(blocks, strings.TrimSuffix(block, "\n"))
	}
	if slices.Contains(foreign.Names(), found.Dialect.Target) {
		source, err := foreign.Source(found.Dialect.Target)
		if err != nil {
			return "", err
		}
		if blocks, err = adopt(blocks, source, path, found); err != nil {
			return "", err
		}
	}
	return strings.Join(blocks, "\n\n") + "\n", nil
}

// topKey finds the first field at the beginning of a line, also in a comment.
var topKey = regexp.MustCompile(`(?m)^(?:# )?([a-z]+):`)

func key(block string) string {
	m := topKey.FindStringSubmatch(block)
	if m == nil {
		return ""
	}
	return m[1]
}

// comment makes each line a comment.
func comment(text string) string {
	return "# " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n# ")
}

// describe makes the transports of a block those that a server of an unknown dialect has.
func describe(block, path string, found identify.Server) string {
	switch {
	case found.Socket != "":
		return strings.Replace(block, "path: /chat ", "path: "+quote(socketPath(path, found))+" ", 1)
	case found.Events:
		return strings.Replace(toggle(block, "websocket", "sse"), "path: /events?topic={topic} ", "path: "+quote(path)+" ", 1)
	}
	return block
}

// socketPath is the path of the WebSocket: the user's, unless the server upgrades at another one.
func socketPath(path string, found identify.Server) string {
	if path == "/" {
		return found.Socket
	}
	return path
}

// toggle makes the fields of a block comments, with all lines below them, and comments of fields fields.
func toggle(block string, fields ...string) string {
	var lines []string
	inside := false
	for line := range strings.SplitSeq(block, "\n") {
		plain, isComment := strings.CutPrefix(line, "  # ")
		if !isComment {
			plain = strings.TrimPrefix(line, "  ")
		}
		if name, _, found := strings.Cut(plain, ":"); found && !strings.ContainsAny(name[:min(1, len(name))], " -#") {
			inside = strings.HasPrefix(line, "  ") && slices.Contains(fields, name)
		}
		switch {
		case inside && isComment:
			line = "  " + plain
		case inside:
			line = "  # " + plain
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// adopt replaces transports, publish and promises by those of a target that ships with pushbench.
func adopt(blocks []string, source []byte, path string, found identify.Server) ([]string, error) {
	shipped, err := scenarios.ReadTarget(found.Dialect.Target, bytes.NewReader(source))
	if err != nil {
		return nil, err
	}
	for i, block := range blocks {
		name := key(block)
		section := cut(string(source), name)
		if section == "" || !slices.Contains([]string{"transports", "publish", "promises"}, name) {
			continue
		}
		if name != "promises" {
			section = "# CHANGE: as in the target " + string(shipped.Name) + " of pushbench; adapt paths, names and fields\n" + section
		}
		if own := shipped.Transports.WebSocket.Path; name == "transports" && found.Socket != "" && !own.Has("topic") && !own.Has("topics") {
			line := regexp.MustCompile(`(?m)^    path: ` + regexp.QuoteMeta(string(own)) + `( |$)`)
			section = line.ReplaceAllLiteralString(section, "    path: "+quote(socketPath(path, found))+" ")
		}
		blocks[i] = block[:topKey.FindStringIndex(block)[0]] + strings.TrimRight(section, "\n ")
	}
	return blocks, nil
}

// cut returns the lines of a field of a target file, without comments behind it.
func cut(source, name string) string {
	var lines []string
	inside := false
	for line := range strings.Lines(source) {
		switch {
		case strings.HasPrefix(line, name+":"):
			inside = true
		case !strings.HasPrefix(line, " "):
			inside = false
		}
		if inside {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// marked lists the lines of a form that are to be changed, from 1 on. Those of optional fields are not among them.
func marked(text string) (lines []int) {
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "# CHANGE:") && (strings.HasPrefix(line, "# CHANGE:") || !strings.HasPrefix(line, "#")) {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// quote makes a text a scalar of YAML.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

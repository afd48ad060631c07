package scenarios

import (
	"bufio"
	"fmt"
	"io/fs"
	"regexp"
)

// maxLogin is the most bytes of a line of a login file.
const maxLogin = 8 << 10

// maxLogins is the most lines of a login file: as many as a scenario may have clients.
const maxLogins = 1_000_000

// loginLine is a login: visible ASCII, with spaces inside, so that it fits into a header field.
var loginLine = regexp.MustCompile(`^[!-~]([ -~]*[!-~])?$`)

// ReadLogins reads the file of login_file: a login per line, one for each client. The target's Path must be set. An
// error names a line, never its text.
func (t *Target) ReadLogins() error {
	if t.LoginFile == "" {
		return nil
	}
	path := t.beside(t.LoginFile)
	file, err := open(path, &Error{File: path, Message: "does not exist; allowed: the file of login_file, with a line per client", cause: fs.ErrNotExist})
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLogin)
	t.Logins = nil
	for lines.Scan() {
		if !loginLine.Match(lines.Bytes()) {
			return &Error{File: path, Message: fmt.Sprintf("line %d is not a login; allowed: visible ASCII characters, with spaces only inside", len(t.Logins)+1)}
		}
		if t.Logins = append(t.Logins, lines.Text()); len(t.Logins) > maxLogins {
			return &Error{File: path, Message: fmt.Sprintf("has more than %d lines; allowed: a line per client", maxLogins)}
		}
	}
	if err := lines.Err(); err != nil {
		return &Error{File: path, Message: fmt.Sprintf("line %d cannot be read: %v; allowed: at most %d bytes", len(t.Logins)+1, err, maxLogin), cause: err}
	}
	if len(t.Logins) == 0 {
		return &Error{File: path, Message: "has no line; allowed: a line per client"}
	}
	return nil
}

// perClient lists the placeholders that have another value for each client.
func (t *Target) perClient() []string {
	if t.LoginFile == "" {
		return []string{"client"}
	}
	return []string{"client", "login"}
}

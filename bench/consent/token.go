package consent

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// secretSize is the size of the user's secret in bytes.
const secretSize = 32

// Token returns what a host must return to allow load from this user. It is the same each time, it reveals no
// token for another host, and it cannot be guessed without the user's secret.
func Token(host string) (string, error) {
	secret, err := secret()
	if err != nil {
		return "", fmt.Errorf("the secret of this user: %w", err)
	}
	sum := hmac.New(sha256.New, secret)
	sum.Write([]byte(host))
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// secret reads the user's secret, and creates it before its first use.
func secret() ([]byte, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(base, "pushbench", "secret")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err == nil {
			text, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, fmt.Errorf("%s has the mode %#o; allowed: 0600", path, info.Mode().Perm())
	}
	found, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(found) != secretSize {
		return nil, fmt.Errorf("%s is not a secret of %d hex digits; delete it, and all hosts need a new token", path, 2*secretSize)
	}
	return found, nil
}

// create writes a new secret. If two processes do so at once, both use the one that was first.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	made := make([]byte, secretSize)
	_, _ = rand.Read(made)                                    // never fails
	file, err := os.CreateTemp(filepath.Dir(path), "secret-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(hex.EncodeToString(made) + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

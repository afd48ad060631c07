//go:build !linux

package app

import "errors"

// inUserNamespace reports that this system has none.
func (Env) inUserNamespace() (err, refused error) {
	return nil, errors.New("user namespaces need Linux")
}

//go:build !linux

package app

import "errors"

// runInUserNamespace fails: only Linux has user namespaces.
func (Env) runInUserNamespace() (err, unavailable error) {
	return nil, errors.New("user namespaces need Linux")
}

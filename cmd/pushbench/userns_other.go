//go:build !linux

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// inUserNamespace says that this system has none.
func inUserNamespace(*cobra.Command) (done bool, err, refused error) {
	return false, nil, errors.New("user namespaces need Linux")
}

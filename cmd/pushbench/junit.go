package main

import (
	"encoding/xml"

	"github.com/jstemmer/go-junit-report/v2/junit"
	"github.com/spf13/cobra"

	"pushbench/results"
)

// junitFlag adds --junit to a command.
func junitFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "junit", "", "write what holds and what does not as a JUnit file, for CI systems")
}

// writeJUnit writes the file, if one was asked for.
func writeJUnit(path string, suites junit.Testsuites) error {
	if path == "" {
		return nil
	}
	data, err := xml.MarshalIndent(suites, "", "  ")
	if err != nil {
		return err
	}
	if err := results.WriteFile(path, append([]byte(xml.Header), append(data, '\n')...)); err != nil {
		return usageError("--junit: %w", err)
	}
	return nil
}

package app

import (
	"context"
	"fmt"
	"os"

	"pushbench/bench/host"
	"pushbench/scenarios"
)

// Examine checks whether this machine is suitable for benchmarking, while no command measures.
func Examine(ctx context.Context) ([]host.Diagnosis, error) {
	unlock, err := lockMachine()
	if err != nil {
		return nil, err
	}
	defer unlock()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	files, err := builtinOpenFiles()
	if err != nil {
		return nil, err
	}
	return host.Examination{Idle: []string{self, "prevent-idle"}, OpenFiles: files, Last: selfComparison}.Do(ctx)
}

// builtinOpenFiles returns the minimum of open files that a process of each built-in scenario
// needs: with the maximum number of servers that may share the clients.
func builtinOpenFiles() (all []host.OpenFiles, err error) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		if err != nil {
			return nil, err
		}
		if s.Publish.By == scenarios.ByBackend {
			s.Servers = min(s.Clients.Count, scenarios.MaxServers)
		}
		all = append(all, host.OpenFiles{Scenario: name, Files: openFiles(s)})
	}
	return all, nil
}

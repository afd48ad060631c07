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
	needs, err := shippedNeeds()
	if err != nil {
		return nil, err
	}
	return host.Examination{Idle: []string{self, "awake"}, OpenFiles: needs, Last: sameTwice}.Do(ctx)
}

// shippedNeeds are the open files that a process of the scenarios that come with pushbench
// takes at least: with as many servers as may share the clients.
func shippedNeeds() (needs []host.OpenFiles, err error) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		if err != nil {
			return nil, err
		}
		if s.Publish.By == scenarios.ByBackend {
			s.Servers = min(s.Clients.Count, scenarios.MaxServers)
		}
		needs = append(needs, host.OpenFiles{Scenario: name, Files: openFiles(s)})
	}
	return needs, nil
}

package app

import (
	"context"
	"fmt"
	"os"

	"pushbench/bench/host"
	"pushbench/scenarios"
)

// Examine checks whether this machine is suitable for benchmarking, while no command measures. If the lock cannot be
// taken for another reason than that, no command can measure: this is a diagnosis, as are all other reasons.
func Examine(ctx context.Context) ([]host.Diagnosis, error) {
	var noLock []host.Diagnosis
	unlock, err := lockMachine()
	switch {
	case CodeOf(err) == Invalid:
		return nil, err
	case err != nil:
		noLock = []host.Diagnosis{{Check: "lock of the machine", State: host.Fail, Found: err.Error(), Advice: "Give this user the right to read the folder."}}
	default:
		defer unlock()
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	files, err := builtinOpenFiles()
	if err != nil {
		return nil, err
	}
	found, err := host.Examination{Idle: []string{self, "prevent-idle"}, OpenFiles: files, Last: selfComparison}.Do(ctx)
	return append(noLock, found...), err
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

// Command pushbench measures, for a given workload and network, how a server should deliver
// messages to its clients, and the cost of each transport.
//
// Only this command, the self-test and the end-to-end tests import both servers and clients. This
// package parses the command line, prints results and sets the exit code.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

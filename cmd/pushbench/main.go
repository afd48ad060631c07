// Command pushbench settles, for a given workload and network, how a server's
// messages should reach its clients, and what each way costs.
//
// Measurer and measured meet only here, in the self-test and in the tests of both ends. Here a
// result becomes words on a terminal and an exit code.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

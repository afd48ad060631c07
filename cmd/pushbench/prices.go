package main

import (
	"github.com/spf13/cobra"

	"pushbench/results/price"
	"pushbench/scenarios"
)

func newPricesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "prices",
		Short: "Print the default prices, as a template for --prices",
		Long: `Print the file of the default prices, with the pages that state them. Reports use it for
the price per 1,000 clients and month. Change a copy and give it to run or report.`,
		Example: "  pushbench prices > mine.yaml\n  pushbench run chat --prices mine.yaml\n  pushbench report results/runs/mine --prices mine.yaml",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(price.DefaultFile())
			return err
		},
	}
}

// costFlag adds --cost to a command.
func costFlag(c *cobra.Command, cost *scenarios.Cost) {
	c.Flags().StringVar((*string)(cost), "cost", "", "by what the cheapest transport is chosen: cpu, of server and load generator together, or price, per 1,000 clients and month (default: the scenario's)")
	completeWord(c, "cost", []string{string(scenarios.ByCPU), string(scenarios.ByPrice)})
}

// pricesFlag adds --prices to a command; without names the prices without it.
func pricesFlag(c *cobra.Command, path *string, without string) {
	c.Flags().StringVar(path, "prices", "", "file of prices for the price per 1,000 clients and month: a changed copy of what pushbench prices prints (default: "+without+", or the default prices)")
}

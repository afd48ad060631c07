package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushbench/bench/host"
	"pushbench/results"
)

// A Side is a run, and where its folder goes.
type Side struct {
	Run  *Run
	Path string
}

// Interleave measures several runs of one scenario side by side: a trial of one is
// followed, or led, by the same trial of the others, so that whatever the machine does
// meanwhile is in all of them alike. Each is a run of its own, with a folder of its own,
// and says whom it was measured beside. They share what watches the cores, and the ceiling:
// both are of the first side's rig.
//
// derive writes what people look at into each folder. The folders are returned in the order
// of the sides; one that could not be made is "".
func Interleave(ctx context.Context, sides []Side, derive func(*results.Run, string) error) ([]string, error) {
	where := make([]string, len(sides))
	campaigns, err := begin(sides)
	if err != nil {
		return where, err
	}
	broke := host.WithMonitor(sides[0].Run.Rig.Idle, func(m *host.Monitor) error { return measure(ctx, campaigns, m) })
	errs := make([]error, len(sides))
	for i, c := range campaigns {
		c.close(broke)
		where[i], errs[i] = c.folder.Finish(*c.manifest, derive)
	}
	return where, errors.Join(errs...)
}

// begin makes the folders.
func begin(sides []Side) ([]*campaign, error) {
	began := time.Now()
	var campaigns []*campaign
	for i, side := range sides {
		cases := side.Run.Scenario.Cases()
		m := side.Run.manifest(began.Add(time.Duration(i)), cases) // a nanosecond apart: the payloads of no two may be mistaken
		c := &campaign{run: side.Run, cases: cases, manifest: &m, began: began, sides: len(sides)}
		c.attempt = c.trial
		campaigns = append(campaigns, c)
	}
	for i, c := range campaigns {
		for _, other := range campaigns {
			if other != c {
				c.manifest.Beside = append(c.manifest.Beside, other.manifest.RunID)
			}
		}
		var err error
		if c.folder, err = results.Create(sides[i].Path, *c.manifest, c.run.Scenario.YAML()); err != nil {
			for _, made := range campaigns[:i] {
				err = errors.Join(err, made.folder.Discard())
			}
			return nil, err
		}
	}
	return campaigns, nil
}

// measure is all that happens while the cores are kept awake.
func measure(ctx context.Context, campaigns []*campaign, m *host.Monitor) error {
	first := campaigns[0]
	rig := first.run.Rig
	if err := rig.MeasureCeiling(ctx, first.run.Scenario.Hardest(first.cases)); ctx.Err() != nil {
		return errStopped
	} else if err != nil {
		return err
	}
	for _, c := range campaigns {
		c.run.Rig.Monitor, c.run.Rig.Ceiling = m, rig.Ceiling
		c.manifest.Ceiling = rig.Ceiling
		c.manifest.Conditions = append(c.manifest.Conditions, rig.Conditions()...)
	}
	before, err := rig.IdleStalls(ctx)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		c.manifest.Host.Standstills = before
	}
	if err := blocks(ctx, campaigns); err != nil {
		return err
	}
	after, err := rig.IdleStalls(ctx)
	for _, c := range campaigns {
		c.manifest.Host.StandstillsAfter = after
	}
	return err
}

// blocks measures every cell of every side. Of each case, who goes first takes turns from
// block to block.
func blocks(ctx context.Context, campaigns []*campaign) error {
	s, cases := campaigns[0].run.Scenario, campaigns[0].cases
	turns := map[string][][]*campaign{}
	for i, c := range cases {
		turns[c.Name()] = Orders(campaigns, s.Blocks, s.Seed+uint64(i))
	}
	for block, order := range Orders(cases, s.Blocks, s.Seed) {
		for position, measured := range order {
			for _, c := range turns[measured.Name()][block] {
				if err := c.cell(ctx, block+1, position+1, measured); err != nil {
					return err
				}
			}
		}
		for _, c := range campaigns {
			if err := c.enough(block + 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// close completes the manifest. An error of one side ended all of them.
func (c *campaign) close(err error) {
	m := c.manifest
	m.Conditions = append(m.Conditions, c.pairs.conditions()...)
	if n := len(m.Beside); n > 0 {
		m.Conditions = append(m.Conditions, fmt.Sprintf("measured side by side with %d other run: each trial here has the same trial there right before or after it", n))
	}
	m.Ended = time.Now().UTC()
	m.Host.LoadAverageAfter = host.LoadAverage()
	m.Status, m.Reason = c.verdict(err)
}

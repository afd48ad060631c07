//go:build !linux

package host

// examineSystem lists what only Linux shows.
func examineSystem() (found []Finding) {
	for _, check := range []string{"ephemeral ports", "clock source", "congestion control", "control group", "swap", "other load", "steal"} {
		found = append(found, Finding{Check: check, State: Hidden})
	}
	return found
}

// A look is what the system shows of itself at one time: nothing, here.
type look struct{}

func lookAround() look { return look{} }

func compareLooks(look, look, []int) []Finding { return nil }

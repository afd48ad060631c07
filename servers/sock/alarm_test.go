package sock

import (
	"testing"
	"testing/synctest"
	"time"
)

// In a bubble, time stands still while anybody has something to do.
func TestAlarmRingsWhenItIsDue(t *testing.T) {
	for name, row := range map[string]struct {
		do   func(a *Alarm)
		want []time.Duration
	}{
		"once":                {func(a *Alarm) { a.Set(3 * time.Second) }, []time.Duration{3 * time.Second}},
		"later":               {func(a *Alarm) { a.Set(time.Second); a.Set(5 * time.Second) }, []time.Duration{5 * time.Second}},
		"sooner":              {func(a *Alarm) { a.Set(5 * time.Second); a.Set(time.Second) }, []time.Duration{time.Second}},
		"off":                 {func(a *Alarm) { a.Set(time.Second); a.Off() }, nil},
		"off and on":          {func(a *Alarm) { a.Set(time.Second); a.Off(); a.Set(2 * time.Second) }, []time.Duration{2 * time.Second}},
		"stopped":             {func(a *Alarm) { a.Set(time.Second); a.Stop() }, nil},
		"stopped, set":        {func(a *Alarm) { a.Set(time.Second); a.Stop(); a.Set(2 * time.Second) }, []time.Duration{2 * time.Second}},
		"never set":           {func(a *Alarm) { a.Off(); a.Stop() }, nil},
		"again when it rang":  {func(a *Alarm) { a.Set(time.Second); time.Sleep(2 * time.Second); a.Set(time.Second) }, []time.Duration{time.Second, 3 * time.Second}},
		"off when it was due": {func(a *Alarm) { a.Set(time.Second); a.Set(3 * time.Second); time.Sleep(2 * time.Second); a.Off() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				rings := make(chan time.Duration, len(row.want)+1)
				a := &Alarm{Ring: func() { rings <- time.Since(begun) }}
				row.do(a)
				time.Sleep(time.Minute)
				synctest.Wait()
				close(rings)
				var rang []time.Duration
				for at := range rings {
					rang = append(rang, at)
				}
				if len(rang) != len(row.want) {
					t.Fatalf("rang at %v, want %v", rang, row.want)
				}
				for i := range rang {
					if rang[i] != row.want[i] {
						t.Errorf("rang at %v, want %v", rang, row.want)
					}
				}
			})
		})
	}
}

// Package record is the accounting of a trial: which messages each client expected and what
// happened to them, their latencies, and the age of the information that each client had.
//
// # Which messages count
//
// The schedule gives each message a due instant. A message counts if its due instant lies in the window
// [opens, closes), and if publishing was not stopped before it. Messages due outside the window are
// published and delivered as well, but they appear only in the costs.
//
// # Ledger
//
// Every client expects every message that counts and is published on a topic to which the client
// subscribes. Each such (message, client) pair ends in exactly one of four states:
//
//		expected = delivered + superseded + declared gap + lost
//
//	  - Delivered: the client received the message. Duplicates are counted separately.
//	  - Superseded: the client received a later message of the same topic instead. This state exists
//	    only if the scenario requires just the latest message of a topic.
//	  - Declared gap: the server reported that it cannot deliver the message, for example because the
//	    message is no longer in its history, or because the server restarted. A gap covers only messages
//	    that were due before it was declared.
//	  - Lost: none of the above. The reason is "never subscribed", a reason of the publication ("not
//	    sent", "publish failed", "publish not acknowledged"), or otherwise "not delivered".
//
// A second sum starts from the received messages:
//
//	received = delivered + duplicates + unexpected
//
// Unexpected messages are corrupt, from another run, or not on a topic of the client. A sequence number
// or a declared gap beyond what was published so far is corrupt, too: it could excuse losses in advance. Reordered
// messages are a part of the delivered ones: the client had already received a later message of the
// same publisher and topic.
//
// # Publications
//
//	planned = on time + late + dropped
//	sent    = acknowledged + failed + unknown
//
// Late means sent more than LateAfter after the due instant, without the time that a publication waits
// for an earlier one on the same connection. Dropped messages were never sent: the session refused
// them, or the trial ended first (NeverTried). Unknown messages were sent, but have neither an
// acknowledgement nor an error.
//
// # Latency
//
// The latency of a delivery is the time from the message's due instant, not from the actual sending. A
// late load generator or a blocked connection therefore lengthens latencies and cannot hide them
// (coordinated omission). A lost message, and one in a declared gap, has an infinite latency, so
// that quantiles include it:
//
//	finite latencies   = delivered
//	infinite latencies = declared gap + lost
//
// # Age of information
//
// The age of a subscription is the time since the due instant of the newest message that the client
// received. It grows with time and falls with each newer message. Package record accumulates how
// long each age lasted, over all subscriptions and the whole window:
//
//	subscribed time = covered + uncovered + never
//
// Covered time has an age. Uncovered time has none, since the client has not yet received a message
// of the topic. If a client receives none until the window closes, its time after the topic's first
// due instant is never instead of uncovered.
//
// # Invariants
//
// Both sides of a sum are counted separately, so that a sum can fail and reveal a defect. Package
// record must never drop, clamp or correct an observation. It does not evaluate observations: the
// checks of package validity do.
package record

package hub

import (
	"strconv"
	"sync/atomic"
	"unicode/utf8"
)

// A topic is a log and the subscriptions that follow it, by shard.
type topic struct {
	name   string
	log    log
	newest atomic.Uint64 // hub number of the newest message, 0 if none; readable without the hub's lock
	follow []followers   // one per shard

	created uint64      // hub number when the topic was created
	removed atomic.Bool // by removeVacantLocked, although sets may have it; set under the hub's lock and those of all followers

	// The hub's lock guards both.
	sets   int    // sets that have the topic
	period uint32 // the hub's period when its newest message was published
}

// followed reports whether the topic has a subscription.
func (t *topic) followed() bool {
	for i := range t.follow {
		if t.follow[i].count.Load() > 0 {
			return true
		}
	}
	return false
}

// markDirty notifies every shard that has followers of the topic that there is a new message. Its cost
// for the publisher depends on the number of shards, not of subscribers.
func (t *topic) markDirty(shards []*shard) {
	for i, s := range shards {
		f := &t.follow[i]
		if f.count.Load() > 0 && f.dirty.CompareAndSwap(false, true) {
			s.enqueue(t, f)
		}
	}
}

// Encode returns a message as a JSON object: the bytes that every transport sends.
func Encode(topic string, seq uint64, data []byte) []byte {
	const envelope = 34 // enough for data without escapes and a seq of up to five digits
	dst := make([]byte, 0, len(topic)+len(data)+envelope)
	dst = append(dst, `{"topic":"`...)
	dst = append(dst, topic...) // topic names need no escaping: [A-Za-z0-9._~-]
	dst = append(dst, `","seq":`...)
	dst = strconv.AppendUint(dst, seq, 10)
	dst = append(dst, `,"data":"`...)
	dst = appendEscaped(dst, data)
	return append(dst, `"}`...)
}

const hexDigits = "0123456789abcdef"

// appendEscaped escapes only what RFC 8259 section 7 requires; all else,
// non-ASCII included, is copied unchanged.
func appendEscaped(dst, data []byte) []byte {
	start := 0
	for i, b := range data {
		if b >= 0x20 && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, data[start:i]...)
		dst = appendEscape(dst, b)
		start = i + 1
	}
	return append(dst, data[start:]...)
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
}

// ValidTopic reports whether a name has 1 to 128 bytes of [A-Za-z0-9._~-].
func ValidTopic[S string | []byte](name S) bool {
	if len(name) == 0 || len(name) > MaxTopicName {
		return false
	}
	for i := range len(name) {
		if !topicByte(name[i]) {
			return false
		}
	}
	return true
}

// MaxTopicName is the maximum length of a topic name, in bytes.
const MaxTopicName = 128

func topicByte(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	return b == '.' || b == '_' || b == '~' || b == '-'
}

// ValidData reports whether data may be published: it must be valid UTF-8 and may be empty.
func ValidData(data []byte) bool { return utf8.Valid(data) }

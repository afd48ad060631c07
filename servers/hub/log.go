package hub

import "sort"

// indexFactor is the capacity of numbers divided by the capacity of ring. A cursor has a hub number,
// a gap has seqs: numbers (8 bytes per message) converts one to the other exactly, even for messages
// that are no longer in ring.
const indexFactor = 16

// A log holds one topic's newest messages, already encoded, and the hub numbers of these and of
// earlier messages. Seqs follow from the positions, so they are not stored.
//
//	seq      1 ………………… last-len(numbers)+1 ………… last-len(ring)+1 …… last
//	                     |<- numbers: known ------------------------->|
//	                                              |<- ring: kept ---->|
type log struct {
	ring     deque[[]byte] // encoded messages; nil for a seq without a message
	numbers  deque[uint64] // hub numbers, ascending
	appended uint64        // count of messages ever appended, which is the last seq
	bytes    int           // sum of the lengths in ring
	maxBytes int
}

func newLog(messages, maxBytes int) log {
	return log{
		ring:     deque[[]byte]{limit: messages},
		numbers:  deque[uint64]{limit: messages * indexFactor},
		maxBytes: maxBytes,
	}
}

func (l *log) last() uint64 { return l.appended }

// append adds a message. The newest message is retained whatever its size.
func (l *log) append(number uint64, object []byte) {
	l.appended++
	l.numbers.push(number)
	l.bytes += len(object) - len(l.ring.push(object))
	for l.bytes > l.maxBytes && l.ring.len() > 1 {
		l.drop()
	}
}

// drop removes the oldest retained message and returns its length.
func (l *log) drop() int {
	n := len(l.ring.pop())
	l.bytes -= n
	return n
}

// free removes all messages and the numbers of all but the newest: a gap before them is reported, but perhaps too long.
func (l *log) free() {
	newest := l.numbers.at(l.numbers.len() - 1)
	l.ring, l.numbers, l.bytes = deque[[]byte]{limit: l.ring.limit}, deque[uint64]{limit: l.numbers.limit}, 0
	l.numbers.push(newest)
}

// memory returns the bytes of the messages and of the buffers that refer to them.
func (l *log) memory() int {
	const slice, number = 24, 8
	return l.bytes + slice*len(l.ring.buffer) + number*len(l.numbers.buffer)
}

// oldestRetained returns the seq of the oldest message in ring; last+1 if there is none.
func (l *log) oldestRetained() uint64 { return l.appended - uint64(l.ring.len()) + 1 }

// firstAfter returns the seq of the first message whose hub number is greater than after. If after is
// older than all numbers kept, the seq is unknown and firstAfter returns 1, so that a gap is never
// reported too short.
func (l *log) firstAfter(after uint64) uint64 {
	n := l.numbers.len()
	i := sort.Search(n, func(i int) bool { return l.numbers.at(i) > after })
	oldestKnown := l.appended - uint64(n) + 1
	if i == 0 && (after == 0 || oldestKnown > 1 && l.numbers.at(0) > after+1) {
		return 1
	}
	return oldestKnown + uint64(i)
}

// object returns the encoded message of a retained seq.
func (l *log) object(seq uint64) []byte { return l.ring.at(int(seq - l.oldestRetained())) }

// number returns the hub number of a seq that is in numbers.
func (l *log) number(seq uint64) uint64 {
	return l.numbers.at(int(seq - (l.appended - uint64(l.numbers.len()) + 1)))
}

// A deque is a ring buffer that grows by doubling up to its limit and then
// overwrites its oldest element.
type deque[T any] struct {
	buffer []T
	start  int
	count  int
	limit  int
}

func (d *deque[T]) len() int { return d.count }

func (d *deque[T]) at(i int) T { return d.buffer[d.index(i)] }

func (d *deque[T]) index(i int) int {
	if i += d.start; i >= len(d.buffer) {
		i -= len(d.buffer)
	}
	return i
}

// push appends v and returns the overwritten element, if any.
func (d *deque[T]) push(v T) (overwritten T) {
	if d.count == d.limit {
		overwritten = d.pop()
	}
	if d.count == len(d.buffer) {
		d.grow()
	}
	d.buffer[d.index(d.count)] = v
	d.count++
	return overwritten
}

// pop removes and returns the oldest element.
func (d *deque[T]) pop() T {
	var zero T
	v := d.buffer[d.start]
	d.buffer[d.start] = zero
	d.start = d.index(1)
	d.count--
	return v
}

func (d *deque[T]) grow() {
	bigger := make([]T, min(max(4, 2*len(d.buffer)), d.limit))
	for i := range d.count {
		bigger[i] = d.at(i)
	}
	d.buffer, d.start = bigger, 0
}

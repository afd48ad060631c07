package inspect

import "slices"

// farthest returns the farthest distance to which text compressed with DEFLATE refers (RFC 1951), which package
// compress/flate does not report. Of what is no such text, it returns that of the part before.
func farthest(compressed []byte) (most int) {
	r := &bitReader{in: compressed}
	for !r.ended() {
		final := r.bits(1) == 1
		switch r.bits(2) {
		case 0:
			r.align()
			size := r.bits(16)
			r.at += 16 + 8*size
		case 1:
			most = max(most, r.block(fixedLiterals, fixedDistances))
		case 2:
			literals, distances := r.codes()
			most = max(most, r.block(literals, distances))
		}
		if final {
			r.align() // RFC 7692, section 7.2.1
		}
	}
	return most
}

// A bitReader reads bits, and zeros behind the end.
type bitReader struct {
	in []byte
	at int // in bits
}

func (r *bitReader) ended() bool { return r.at >= 8*len(r.in) }
func (r *bitReader) align()      { r.at = (r.at + 7) &^ 7 }

func (r *bitReader) bits(n int) (v int) {
	for i := range n {
		if !r.ended() {
			v |= int(r.in[r.at>>3]>>(r.at&7)&1) << i
		}
		r.at++
	}
	return v
}

// A code is a canonical Huffman code (RFC 1951, section 3.2.2).
type code struct {
	count   [16]int // of symbols by the length of their code
	symbols []int   // by the length of their code
}

func newCode(lengths []int) (c code) {
	for length := 1; length < len(c.count); length++ {
		for symbol, l := range lengths {
			if l == length {
				c.count[length]++
				c.symbols = append(c.symbols, symbol)
			}
		}
	}
	return c
}

// endOfBlock is also what follows an invalid code.
const endOfBlock = 256

func (r *bitReader) symbol(c code) int {
	at, first, index := 0, 0, 0
	for _, count := range c.count[1:] {
		at |= r.bits(1)
		if at-first < count {
			return c.symbols[index+at-first]
		}
		index, first, at = index+count, (first+count)<<1, at<<1
	}
	return endOfBlock
}

// block returns the farthest distance in a block (RFC 1951, section 3.2.5).
func (r *bitReader) block(literals, distances code) (most int) {
	for !r.ended() {
		symbol := r.symbol(literals)
		if symbol == endOfBlock {
			break
		}
		if symbol < endOfBlock {
			continue
		}
		if length := symbol - endOfBlock - 1; length >= 8 && length < 28 {
			r.bits(length>>2 - 1)
		}
		distance := r.symbol(distances)
		if distance >= 4 {
			extra := distance>>1 - 1
			distance = (2|distance&1)<<min(extra, 14) + r.bits(extra)
		}
		most = max(most, distance+1)
	}
	return most
}

var fixedLiterals, fixedDistances = newCode(slices.Concat(
	slices.Repeat([]int{8}, 144), slices.Repeat([]int{9}, 112), slices.Repeat([]int{7}, 24), slices.Repeat([]int{8}, 8),
)), newCode(slices.Repeat([]int{5}, 30))

// codes reads the codes of a block (RFC 1951, section 3.2.7).
func (r *bitReader) codes() (literals, distances code) {
	sizes := []int{r.bits(5) + 257, r.bits(5) + 1, r.bits(4) + 4}
	ofLengths := make([]int, 19)
	for _, symbol := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:sizes[2]] {
		ofLengths[symbol] = r.bits(3)
	}
	lengths, c := []int{}, newCode(ofLengths)
	for len(lengths) < sizes[0]+sizes[1] && !r.ended() {
		length, times := r.symbol(c), 1
		switch length {
		case 16:
			length, times = 0, 3+r.bits(2)
			if n := len(lengths); n > 0 {
				length = lengths[n-1]
			}
		case 17:
			length, times = 0, 3+r.bits(3)
		case 18:
			length, times = 0, 11+r.bits(7)
		}
		lengths = append(lengths, slices.Repeat([]int{length}, times)...)
	}
	lengths = append(lengths, make([]int, sizes[0]+sizes[1])...)
	return newCode(lengths[:sizes[0]]), newCode(lengths[sizes[0] : sizes[0]+sizes[1]])
}

package bench

import (
	"math/rand/v2"
	"slices"
)

// Orders returns, for each block, the cases in the order in which to run
// them: rows of a Williams Latin square, in which over every full set of rows
// each case comes equally often at each place and equally often right after
// each other one, so that neither drift nor what a trial leaves behind favours
// any. Which case plays which part, and the rows' order, come from the seed.
func Orders[T any](cases []T, blocks int, seed uint64) [][]T {
	random := rand.New(rand.NewPCG(seed, 0x6f72646572)) // apart from the schedules' streams
	parts := slices.Clone(cases)
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	square := williams(len(parts))
	orders := make([][]T, 0, blocks)
	for len(orders) < blocks {
		for _, row := range random.Perm(len(square)) {
			order := make([]T, len(parts))
			for place, part := range square[row] {
				order[place] = parts[part]
			}
			orders = append(orders, order)
		}
	}
	return orders[:blocks]
}

// williams builds the design for n treatments: n rows when n is even, and their
// mirror images as well when it is odd (Williams, 1949).
func williams(n int) [][]int {
	first := make([]int, n)
	for i, low, high := 1, 1, n-1; i < n; i++ {
		if i%2 == 1 {
			first[i] = low
			low++
		} else {
			first[i] = high
			high--
		}
	}
	var rows [][]int
	for shift := range n {
		row := make([]int, n)
		mirror := make([]int, n)
		for i, v := range first {
			row[i] = (v + shift) % n
			mirror[n-1-i] = row[i]
		}
		rows = append(rows, row)
		if n%2 == 1 {
			rows = append(rows, mirror)
		}
	}
	return rows
}

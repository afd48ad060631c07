package bench

import (
	"math/rand/v2"
	"slices"
)

// Orders returns the order of the configurations in each repetition: rows of a Williams Latin
// square. Over a full set of rows, each configuration occurs equally often at each position and
// equally often directly after each other one, so that neither drift nor the after-effects of a
// trial favour any. The seed determines the assignment to the square and the order of its rows.
func Orders[T any](configurations []T, repetitions int, seed uint64) [][]T {
	random := rand.New(rand.NewPCG(seed, 0x6f72646572)) // independent of the schedules' streams
	treatments := slices.Clone(configurations)
	random.Shuffle(len(treatments), func(i, j int) { treatments[i], treatments[j] = treatments[j], treatments[i] })
	square := williams(len(treatments))
	orders := make([][]T, 0, repetitions)
	for len(orders) < repetitions {
		for _, row := range random.Perm(len(square)) {
			order := make([]T, len(treatments))
			for position, treatment := range square[row] {
				order[position] = treatments[treatment]
			}
			orders = append(orders, order)
		}
	}
	return orders[:repetitions]
}

// williams returns the design for n treatments: n rows if n is even, and also their mirror
// images if n is odd (Williams, 1949).
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

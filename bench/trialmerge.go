package bench

func mergeCounts(to, from map[string]int64) {
	for cause, n := range from {
		to[cause] += n
	}
}

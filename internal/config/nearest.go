package config

import "strings"

// didYouMean suggests the known word that was probably meant, or lists all of them.
func didYouMean(word string, known []string) string {
	if n := nearest(word, known); n != "" {
		return "did you mean " + n + "?"
	}
	if len(known) == 0 {
		return ""
	}
	const most = 24
	if len(known) > most {
		return ""
	}
	return "known here: " + strings.Join(known, ", ")
}

// nearest returns the known word that differs least from word, "" if none is near.
func nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	wanted := comparable(word)
	best, least := "", len(wanted)/3+2
	for _, k := range known {
		if len(k) > 64 {
			continue
		}
		if d := distance(wanted, comparable(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return extended(wanted, known)
	}
	return best
}

// extended returns the only known word that begins with a word, as production does with prod.
func extended(word string, known []string) string {
	found := ""
	for _, k := range known {
		if len(word) > 2 && strings.HasPrefix(comparable(k), word) {
			if found != "" {
				return ""
			}
			found = k
		}
	}
	return found
}

func comparable(word string) string {
	return strings.ToLower(strings.ReplaceAll(word, "-", "_"))
}

// distance counts the bytes to insert, delete, replace or swap with their neighbour between a
// and b.
func distance(a, b string) int {
	width := len(b) + 1
	row := make([]int, 3*width)
	before, above, current := row[:width], row[width:2*width], row[2*width:]
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(above[j]+1, current[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, above, current = above, current, before
	}
	return above[len(b)]
}

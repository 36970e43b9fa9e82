package cronspec

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// zoneNames lists the zones of the time zone database, one a line, for suggestions only: a zone
// that is newer than this list still loads.
//
//go:embed zones.txt
var zoneNames string

// ZoneError is a time zone that is not known.
type ZoneError struct {
	Name    string
	Nearest string // a known zone that may have been meant; may be empty
	Err     error  // from the time zone database; may be nil
}

// Error names the zone.
func (e *ZoneError) Error() string {
	switch {
	case e.Name == "":
		return "time zone is empty"
	case e.Name == "Local":
		return `time zone "Local" means another thing on every machine`
	}
	return fmt.Sprintf("time zone %q is not known", e.Name)
}

// Hint says what to write instead.
func (e *ZoneError) Hint() string {
	switch {
	case offset.MatchString(e.Name):
		return "write the name of a place, such as Europe/Paris: an offset would be an hour off for half of the year"
	case e.Nearest == "" && abbreviation.MatchString(e.Name):
		return "write the name of a place, such as Europe/Paris: an abbreviation is ambiguous, or right for half of the year"
	case e.Nearest == "":
		return "write UTC or a name from the time zone database, such as Europe/Paris"
	}
	return "did you mean " + e.Nearest + "?"
}

var (
	abbreviation = regexp.MustCompile(`^[A-Z]{2,5}$`)                 // such as CEST
	offset       = regexp.MustCompile(`^([A-Z]{3,4})? ?[+-][0-9:]+$`) // such as UTC+2
)

// Unwrap returns what the time zone database said.
func (e *ZoneError) Unwrap() error { return e.Err }

// LoadZone finds a zone of the time zone database by its name, such as Europe/Paris. An error is a
// *ZoneError. Each call reads the database and returns another pointer, except for UTC: load a
// zone once and share it.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, &ZoneError{Name: name}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, &ZoneError{Name: name, Nearest: nearestZone(name), Err: err}
	}
	return loc, nil
}

// nearestZone finds the zone whose full name or city differs least from what was written.
func nearestZone(name string) string {
	wanted := strings.ToLower(strings.NewReplacer(" ", "_", `\`, "/").Replace(name))
	if len(wanted) > 64 {
		return ""
	}
	nearest, least := "", len(wanted)/3+1
	if abbreviation.MatchString(name) {
		least = 1 // CEST is one letter away from Australia/West
	}
	for zone := range strings.Lines(zoneNames) {
		zone = strings.TrimSpace(zone)
		lower := strings.ToLower(zone)
		d := distance(wanted, lower)
		if slash := strings.LastIndexByte(lower, '/'); slash >= 0 {
			d = min(d, distance(wanted, lower[slash+1:]))
		}
		if d < least {
			nearest, least = zone, d
		}
	}
	return nearest
}

// distance is the number of letters to insert, delete or replace between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

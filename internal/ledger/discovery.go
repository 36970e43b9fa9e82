package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Discovery is the list of projects that was last got from a source.
type Discovery struct {
	Source   string
	Projects []DiscoveredProject
	At       time.Time // when it was got
}

// DiscoveredProject is a project of such a list.
type DiscoveredProject struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"`
}

const (
	recordDiscovery = `INSERT INTO discoveries (source, projects, listed_at) VALUES (?, ?, ?)
		ON CONFLICT (source) DO UPDATE SET projects = excluded.projects, listed_at = excluded.listed_at`

	selectDiscoveries = `SELECT source, projects, listed_at FROM discoveries ORDER BY source`
)

// Discover keeps a list in the place of the source's former one.
func (l *Ledger) Discover(ctx context.Context, d Discovery) error {
	attempt := fmt.Sprintf("record the projects of %q", d.Source)
	projects, err := json.Marshal(d.Projects)
	if err != nil {
		return fmt.Errorf("%s: %w", attempt, err)
	}
	return l.write(ctx, opDiscover, attempt, 1, func(s *session) error {
		_, err := s.exec(recordDiscovery, d.Source, string(projects), micros(d.At))
		return err
	})
}

// Discoveries returns the list of every source that there ever was.
func (r *Reader) Discoveries(ctx context.Context) ([]Discovery, error) {
	all, err := collect(ctx, r.reader, scanDiscovery, selectDiscoveries)
	return all, r.judge(ctx, opQuery, "read discovered projects", err)
}

func scanDiscovery(row scanner) (Discovery, error) {
	var d Discovery
	var projects string
	var at stamp
	if err := row.Scan(&d.Source, &projects, &at); err != nil {
		return d, err
	}
	d.At = at.Time
	return d, json.Unmarshal([]byte(projects), &d.Projects)
}

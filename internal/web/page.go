package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"
)

// Page is what the landing page shows.
type Page struct {
	Version string
	Started time.Time
	Notices []string // what everybody who looks should know, such as "simulated platform"
	Crons   []CronRow
}

// CronRow is one cron on the landing page.
type CronRow struct {
	Name, Spec, Timezone string
	Next                 time.Time // zero: it does not fire
	Note                 string    // why it does not fire, or ""
}

//go:embed page.html style.css
var files embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"utc": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
}).ParseFS(files, "page.html"))

func (s *Server) landing(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, s.options.Page()); err != nil {
		s.log.Error().Err(err).Msg("page not rendered")
		http.Error(w, "the page could not be rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	page.WriteTo(w)
}

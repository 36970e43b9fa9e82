package shell

import "strings"

// split cuts an expansion into fields where its regions say so. With most, the
// last of so many fields takes all that is left, as read wants it; -1 is no
// limit.
func (e *expansion) split(ifs string, most int) []string {
	s := splitter{out: e.out, most: most, tail: -1}
	for _, r := range e.regions {
		s.region(r, ifs)
	}
	return s.finish()
}

// splitter follows dash in what it does at the end of one region and the
// beginning of the next.
type splitter struct {
	out    []glyph
	fields []string
	most   int
	start  int  // where the present field begins
	space  bool // the separator before start was white space, so another may follow
	params bool // the latest region was one between parameters
	tail   int  // in the last of most fields: where removable separators begin, or -1
}

func (s *splitter) region(r region, ifs string) {
	after := s.params
	s.params = r.params
	if r.params {
		ifs = ""
	}
	s.space = false
	for p := r.from; p < r.to; p++ {
		g := s.out[p]
		// A zero byte stands between parameters.
		separates := g&quoteMark == 0 && (g.byte() == 0 || strings.IndexByte(ifs, g.byte()) >= 0)
		white := separates && (g.byte() == 0 || strings.IndexByte(defaultIFS, g.byte()) >= 0)
		if s.most == 0 {
			s.rest(p, separates, white)
			continue
		}
		if s.space {
			if separates {
				s.start = p + 1
			} else {
				s.start = p
			}
			if white {
				continue
			}
			separates = false
		}
		if !separates {
			s.space = false
			continue
		}
		if !after && !r.params {
			s.space = white
		}
		s.separator(p)
	}
}

// separator ends a field at a position.
func (s *splitter) separator(p int) {
	if p == s.start && s.space {
		s.start, s.space = p+1, false // white space before a field
		return
	}
	if s.most > 0 {
		if s.most--; s.most == 0 {
			s.tail = p
			return
		}
	}
	s.fields = append(s.fields, plain(s.out[s.start:p]))
	s.start = p + 1
}

// rest goes on in the last field, which loses white space at its end, and one
// separator if that is all that follows.
func (s *splitter) rest(p int, separates, white bool) {
	if white {
		if s.tail < 0 {
			s.tail = p
		}
		return
	}
	if !separates || !s.space {
		s.tail = -1
	}
	s.space = false
}

func (s *splitter) finish() []string {
	out := s.out
	if s.tail >= 0 {
		out = out[:s.tail]
	}
	if s.start < len(out) || s.params {
		s.fields = append(s.fields, plain(out[min(s.start, len(out)):]))
	}
	return s.fields
}

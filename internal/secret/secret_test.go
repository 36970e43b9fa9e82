package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"gopkg.in/yaml.v3"
)

const token = "t0p-s3cret-value"

func TestSecret_IsRedactedInEveryFormat(t *testing.T) {
	type holder struct {
		Token  Secret
		Source Source
	}
	s := New(token)
	values := []any{s, &s, holder{s, FromEnv("TOKEN", token)}, &holder{Token: s}, []Secret{s}, map[string]Secret{"a": s}}
	var out strings.Builder
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10.3s"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		y, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		logger := zerolog.New(&log)
		logger.Info().Interface("value", v).Any("any", v).Stringer("secret", s).Msg("logged")
		out.Write(j)
		out.Write(y)
		out.Write(log.Bytes())
	}
	for _, leak := range []string{token, fmt.Sprintf("%x", token), fmt.Sprintf("%X", token)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the secret shows as %q in:\n%s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("nothing was redacted")
	}
}

func TestSecret_RevealsOnlyOnRequest(t *testing.T) {
	if got := New(token).Reveal(); got != token {
		t.Errorf("Reveal() = %q, want %q", got, token)
	}
	if !New("").IsZero() || New(token).IsZero() || (Secret{}).Reveal() != "" {
		t.Error("IsZero does not tell an empty secret from a set one")
	}
}

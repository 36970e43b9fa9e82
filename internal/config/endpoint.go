package config

// The vendor's endpoints, from its OpenAPI description and its CLI's configuration.
const (
	standardAPI  = "https://api.upsun.com"
	standardAuth = "https://auth.upsun.com"
)

// finishEndpoints applies the variables of the vendor's CLI, which win over the files as they do
// for the CLI, and then the standard endpoints.
func (l *loader) finishEndpoints() {
	c := l.config
	l.endpointFromEnv(&c.APIURL, "PLATFORMSH_CLI_API_URL", "UPSUN_CLI_API_URL")
	l.endpointFromEnv(&c.AuthURL, "PLATFORMSH_CLI_AUTH_URL", "UPSUN_CLI_AUTH_URL")
	if c.APIURL != "" && c.APIURL != standardAPI && c.AuthURL == "" && !l.in.Offline && !l.in.Sandbox {
		l.add(Diagnostic{
			Severity: Warning, Code: "endpoint-half", Message: "the API's URL is configured, but the token goes to " + standardAuth,
			Hint: "set api.auth_url as well",
		})
	}
	if c.APIURL == "" {
		c.APIURL = standardAPI
	}
	if c.AuthURL == "" {
		c.AuthURL = standardAuth
	}
}

func (l *loader) endpointFromEnv(into *string, platformsh, upsun string) {
	if l.in.Offline {
		return
	}
	name, value := platformsh, l.env(platformsh)
	if other := l.env(upsun); other != "" {
		if value != "" && value != other {
			l.processError("endpoint-conflict", "unset one of them", "variables "+platformsh+" and "+upsun+" differ")
			return
		}
		name, value = upsun, other
	}
	if value == "" {
		return
	}
	base, problem, hint := parseBase(value)
	if problem != "" {
		l.processError("endpoint-invalid", hint, "variable "+name+": "+problem)
		return
	}
	if insecure(base) {
		l.add(Diagnostic{
			Severity: Warning, Code: "endpoint-insecure", Hint: "use https://",
			Message: "variable " + name + ": the token would cross the network unencrypted",
		})
	}
	*into = base
}

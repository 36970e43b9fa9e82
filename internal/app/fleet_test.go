package app

import (
	"fmt"
	"strings"
	"time"
)

// fleetProjects is how many projects the simulated fleet has, with five crons each.
const fleetProjects = 10

// cron is a cron of the simulated fleet. No two crons of a project ask for the same thing, so that a
// request that arrives tells whose it is.
type cron struct {
	name, project string
	zone          *time.Location
	spec, edited  string   // as it is at first, and after an edit
	environments  []string // that its guard lets pass
	work          string   // its guard and its task or script, as YAML
	asks          []ask    // its requests in their order
	most          int      // how many requests for one operation may have executed
}

// ask is what one request of a cron looks like.
type ask struct {
	path        string // below the environment
	body        string // a part of the body
	environment string // "" is the run's own
}

const (
	startDeadline = 10 * time.Minute // of every cron of the fleet, and less than what is between two of its fires
	runTimeout    = time.Hour        // of every cron with several requests; less than that, too
	longTimeout   = 4 * time.Hour    // of the others
)

// pinned are the fleet's specs with their zones. Many of them name times that daylight saving skips or
// repeats: 02:30 in Paris, 01:15 in London, 02:45 in New York, 02:15 on Lord Howe Island.
var pinned = [5][fleetProjects]string{
	{ // backups
		"30 2 * * * Europe/Paris", "0 5 * * * UTC", "15 1,13 * * * Europe/London", "45 2 * * * America/New_York",
		"0 3 * * 1-5 Europe/Paris", "30 2 1,15 * 0 Europe/Paris", "10 */6 * * * UTC", "15 2 * * * Australia/Lord_Howe",
		"59 23 * * * America/New_York", "0 0,12 * * * UTC",
	},
	{ // redeployments, synchronisations, runtime operations
		"*/30 2-3 * * * Europe/Paris", "0 */2 * * * UTC", "0 2 * * * Europe/Paris", "1 3 * * * Europe/Paris",
		"0 1 * * * Europe/London", "15 */4 * * * America/New_York", "30 1 * * * America/New_York", "20 */3 * * * UTC",
		"25 */12 * * * Australia/Lord_Howe", "0 6 * * 0,6 UTC",
	},
	{ // source operations on every environment
		"0 2,14 * * * Europe/Paris", "20 */12 * * * UTC", "0 4 * * * UTC", "30 2 * * * America/New_York",
		"0 9 28-31 * * UTC", "0 0 * * * Europe/Paris", "59 1 * * * Europe/London", "0 22 * * * UTC",
		"0 2 * 3,10 * Europe/Paris", "45 1 * * * Australia/Lord_Howe",
	},
	{ // pauses, and scripts with two calls
		"0 20 * * * Europe/Paris", "0 2-4/2 * * * Europe/Paris", "0 19 * * 1-5 UTC", "0 */6 * * * UTC",
		"30 18 * * * America/New_York", "30 1 * * * Europe/London", "0 21 * * * Europe/Paris", "0 10 * * * UTC",
		"45 22 * * * UTC", "0 2,5 * * * America/New_York",
	},
	{ // resumptions, and scripts that name one environment from everywhere
		"0 7 * * * Europe/Paris", "10 2 * * * Europe/Paris", "0 6 * * 1-5 UTC", "40 */8 * * * UTC",
		"30 6 * * * America/New_York", "0 15 * * * UTC", "0 2 * * * Europe/Paris", "20 3 * * * Europe/London",
		"45 5 * * * UTC", "5 1 * * * America/New_York",
	},
}

// fleet makes the crons.
func fleet() []*cron {
	var crons []*cron
	for slot, specs := range pinned {
		for p, spec := range specs {
			i := strings.LastIndexByte(spec, ' ')
			zone, err := time.LoadLocation(spec[i+1:])
			if err != nil {
				panic(err) // Go brings the zones along
			}
			c := &cron{
				name: fmt.Sprintf("c%d%d", slot, p), project: fmt.Sprintf("project%d", p), zone: zone,
				spec: spec[:i], edited: fmt.Sprintf("52 %d * * *", 7+p), most: 1,
			}
			c.workOn(slot, p)
			crons = append(crons, c)
		}
	}
	return crons
}

// harmless is how often a request may be sent that does no harm twice.
const harmless = 5

var everywhere = []string{"main", "staging", "develop"}

// workOn says what the cron does.
func (c *cron) workOn(slot, p int) {
	switch {
	case slot == 0:
		c.environments, c.asks = []string{"main"}, []ask{{path: "/backup", body: `"safe":true`}}
		c.work = "only: {branches: [main]}, task: {backup: {}}"
	case slot == 1 && p < 4:
		c.environments, c.asks = []string{"staging"}, []ask{{path: "/redeploy"}}
		c.work = "only: {environment_types: [staging]}, task: {redeploy: {}}"
	case slot == 1 && p < 7:
		c.environments, c.asks = []string{"staging", "develop"}, []ask{{path: "/synchronize"}}
		c.work = "except: {branches: [main]}, task: {synchronize: {data: true}}"
	case slot == 1:
		c.environments, c.asks = []string{"main", "staging"}, []ask{{path: "/deployments/current/operations"}}
		c.work = "except: {environment_types: [development]}, task: {operation: {operation: clear-cache}}"
	case slot == 2:
		c.environments, c.asks = everywhere, []ask{{path: "/source-operation", body: `"everywhere"`}}
		c.work = "task: {source_operation: {operation: everywhere}}"
		if p%4 == 0 {
			c.most = 2
			c.work += ", in_doubt: redispatch"
		}
	case slot == 3 && p%2 == 0:
		c.environments, c.asks, c.most = []string{"develop"}, []ask{{path: "/pause"}}, harmless
		c.work = "only: {branches: [develop]}, task: {pause: {}}"
	case slot == 3:
		c.environments = []string{"staging"}
		c.asks = []ask{{path: "/source-operation", body: `"first"`}, {path: "/backup", body: `"safe":false`}}
		c.work = `timeout: 1h, cmd: 'if [ "$PLATFORM_BRANCH" = staging ]; then platform source-operation:run first -yW && platform backup --live -yW; fi'`
	case p%2 == 0:
		c.environments, c.asks, c.most = []string{"develop"}, []ask{{path: "/resume"}}, harmless
		c.work = "only: {branches: [develop]}, task: {resume: {}}"
	default:
		c.environments, c.asks = everywhere, []ask{{path: "/source-operation", body: `"shared"`, environment: "main"}}
		c.work = "cmd: platform source-operation:run shared -e main -yW"
	}
}

// yaml is the configuration in which each cron has a spec, or is missing.
func yaml(crons []*cron, spec func(*cron) string, tokenFile string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "api: {url: http://sandbox.test, auth_url: http://sandbox.test}\n"+
		"automation_users: {bot: {token_file: %s}}\ndefaults: {timeout: %s}\nprojects:\n", tokenFile, longTimeout)
	for p := range fleetProjects {
		fmt.Fprintf(&b, "  project%d: {id: project%[1]d}\n", p)
	}
	b.WriteString("crons:\n")
	for _, c := range crons {
		if s := spec(c); s != "" {
			fmt.Fprintf(&b, "  %s: {spec: '%s', timezone: %s, projects: [%s], %s}\n", c.name, s, c.zone, c.project, c.work)
		}
	}
	return b.String()
}

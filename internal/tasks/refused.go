package tasks

// refused says why commands that change something are not offered, by the CLI's
// own name for them. Commands that only read need no reason.
var refused = map[string]string{
	"certificate:add":         keysByHand,
	"certificate:delete":      byAPI,
	"domain:add":              byAPI,
	"domain:delete":           byAPI,
	"domain:update":           "it changes nothing but a certificate, and " + keysByHand,
	"environment:push":        "it pushes commits with git over SSH",
	"environment:init":        byAPI,
	"integration:add":         byAPI,
	"integration:update":      byAPI,
	"integration:delete":      byAPI,
	"autoscaling:set":         byAPI,
	"user:add":                byAPI,
	"user:update":             byAPI,
	"user:delete":             byAPI,
	"user:get":                byAPI,
	"team:update":             "teams belong to an organization, and nothing outside of projects is changed",
	"project:variable:set":    "write variable:create --level project --update",
	"project:variable:delete": "write variable:delete --level project",
}

// byAPI is about what is done once and by hand, but may be declared all the same.
const byAPI = "declare it as a task of the kind api"

const keysByHand = "a private key does not belong in a cron; the platform renews its own certificates, also with a redeploy"

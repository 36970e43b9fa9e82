package tasks

// refused says why commands that change something are not offered, by the CLI's
// own name for them. Commands that only read need no reason.
var refused = map[string]string{
	"domain:update":           "it changes nothing but a certificate, of which the API's description of a domain knows nothing; write certificate:add",
	"environment:push":        "it pushes commits with git over SSH",
	"environment:init":        byAPI,
	"integration:add":         byAPI,
	"integration:update":      byAPI,
	"integration:delete":      byAPI,
	"user:add":                byAPI,
	"user:update":             byAPI,
	"user:delete":             byAPI,
	"user:get":                byAPI,
	"team:update":             "teams belong to an organization, and nothing outside of projects is changed",
	"resources:build:set":     byAPI,
	"blue-green:enable":       byAPI,
	"blue-green:deploy":       byAPI,
	"blue-green:conclude":     byAPI,
	"db:dump":                 bySSH,
	"db:sql":                  bySSH,
	"environment:drush":       bySSH,
	"environment:scp":         bySSH,
	"environment:ssh":         bySSH,
	"mount:download":          bySSH,
	"mount:upload":            bySSH,
	"service:mongo:dump":      bySSH,
	"service:mongo:export":    bySSH,
	"service:mongo:restore":   bySSH,
	"service:redis-cli":       bySSH,
	"service:valkey-cli":      bySSH,
	"project:variable:set":    "write variable:create --level project --update",
	"project:variable:delete": "write variable:delete --level project",
}

// byAPI is about what is done once and by hand, but may be declared all the same.
const byAPI = "declare it as a task of the kind api"

// bySSH is about what happens in a container, or comes out of one.
const bySSH = "it works over SSH, and only requests to the API are made here; such a cron belongs in the application's container"

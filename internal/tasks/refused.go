package tasks

// refused says why commands that change something are not offered, by the CLI's
// own name for them. Commands that only read need no reason.
var refused = map[string]string{
	"environment:push":        "it pushes commits with git over SSH",
	"environment:init":        "an environment is set up once",
	"integration:add":         integrationsByHand,
	"integration:update":      integrationsByHand,
	"integration:delete":      integrationsByHand,
	"user:add":                accessByHand,
	"user:update":             accessByHand,
	"user:delete":             accessByHand,
	"user:get":                accessByHand,
	"team:update":             accessByHand,
	"project:variable:set":    "write variable:create --level project --update",
	"project:variable:delete": "write variable:delete --level project",
}

const (
	integrationsByHand = "integrations are set up by hand"
	accessByHand       = "who has access is decided by hand"
)

package tasks

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
)

// changing are the command classes of the vendor's CLI that start activities: those with the options
// --wait and --no-wait in its sources.
const changing = `backup:create backup:delete backup:restore certificate:add certificate:delete
	domain:add domain:delete domain:update
	environment:activate environment:branch environment:delete environment:deploy environment:deploy:type
	environment:http-access environment:info environment:init environment:merge environment:pause
	environment:push environment:redeploy environment:resume environment:synchronize
	integration:add integration:delete integration:update operation:run
	project:info project:variable:delete project:variable:set resources:set source-operation:run team:update
	user:add user:delete user:get user:update
	variable:create variable:delete variable:disable variable:enable variable:set variable:update`

// TestRefused_EveryCommandHasASectionOrAReason holds all 42 of them against docs/tasks.md.
func TestRefused_EveryCommandHasASectionOrAReason(t *testing.T) {
	page, err := os.ReadFile("../../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := strings.Fields(changing)
	if len(commands) != 42 {
		t.Errorf("%d commands, want 42", len(commands))
	}
	for _, command := range commands {
		want := fmt.Sprintf("\n| `%s` | %s |\n", command, cmp.Or(refused[command], "not yet"))
		if k, err := ByCommand(command); err == nil {
			want = "\n## " + k.Name + "\n"
		}
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/tasks.md says nothing of %s; want %q", command, want)
		}
	}
}

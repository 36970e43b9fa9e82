package tasks

import (
	"fmt"
	"regexp"

	"github.com/automatond/automatond/internal/platform"
)

// existingDomain is a domain that the platform has.
type existingDomain struct {
	Name     string `json:"name"`
	Replaces string `json:"replacement_for"` // the production domain, "" for one of production itself
}

// domainName is what the vendor's CLI takes for one, without what a path could not have.
var domainName = regexp.MustCompile(`^([^.\s/]{1,63}\.)+[^.\s/]{2,63}$`)

func checkDomainName(name string) error {
	if !domainName.MatchString(name) {
		return fmt.Errorf("name %q is not a domain's; write one such as www.example.com", name)
	}
	return nil
}

// findDomain looks up a domain of the environment, nil when there is none of its name.
func findDomain(name string, look Lookup) (*platform.Resource, error) {
	return look(environmentRoute+"/domains/{domain}", name)
}

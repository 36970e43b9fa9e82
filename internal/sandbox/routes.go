package sandbox

import "net/http"

// routes are all there is. The mux matches escaped paths segment by segment, so
// that an environment's name may contain slashes.
func (s *Sandbox) routes() *http.ServeMux {
	const (
		project     = "/projects/{project}"
		environment = project + "/environments/{environment}"
	)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", route(s.landing))
	mux.Handle("POST /oauth2/token", route(s.postToken))
	mux.Handle("POST /oauth2/revoke", route(s.postRevoke))
	mux.Handle("GET /users/me", s.authenticated(s.getMe))
	mux.Handle("GET /users/{user}/extended-access", s.authenticated(s.listGrants))
	mux.Handle("GET /ref/projects", s.authenticated(s.getReferences))
	mux.Handle("GET /organizations/{organization}", s.authenticated(s.getOrganization))
	mux.Handle("GET /organizations/{organization}/projects", s.authenticated(s.listOrganizationProjects))

	mux.Handle("GET "+project, s.inProject(s.getProject))
	mux.Handle("GET "+project+"/user-access/{user}", s.inProject(s.getAccess))
	mux.Handle("GET "+project+"/environments", s.inProject(s.listEnvironments))
	mux.Handle("GET "+project+"/activities", s.inProject(s.listProjectActivities))
	mux.Handle("GET "+environment, s.inEnvironment(s.getEnvironment))
	mux.Handle("GET "+environment+"/activities", s.inEnvironment(s.listEnvironmentActivities))
	mux.Handle("GET "+environment+"/backups", s.inEnvironment(s.listBackups))
	mux.Handle("GET "+environment+"/backups/{backup}", s.inEnvironment(s.getBackup))
	mux.Handle("GET "+environment+"/tasks", s.inEnvironment(s.listTasks))
	mux.Handle("GET "+environment+"/source-operations", s.inEnvironment(s.listSourceOperations))
	mux.Handle("GET "+environment+"/deployments/current", s.inEnvironment(s.getDeployment))
	mux.Handle("GET "+environment+"/deployments/next", s.inEnvironment(s.getNextDeployment))
	mux.Handle("POST "+environment+"/deployments/current/operations", s.inEnvironment(s.runOperation))
	for _, o := range s.operations {
		mux.Handle(o.route(environment), s.inEnvironment(s.operate(o)))
	}
	mux.Handle("GET "+environment+"/domains", s.inEnvironment(s.listDomains))
	mux.Handle("GET "+environment+"/domains/{domain}", s.inEnvironment(s.getDomain))
	mux.Handle("GET "+environment+"/autoscaling/settings", s.inEnvironment(s.getAutoscaling))
	mux.Handle("GET "+project+"/domains", s.inProject(s.listProductionDomains))
	mux.Handle("GET "+project+"/certificates", s.inProject(s.listCertificates))
	mux.Handle("GET "+project+"/certificates/{certificate}", s.inProject(s.getCertificate))
	mux.Handle("GET "+environment+"/settings", s.inEnvironment(s.getSettings))
	mux.Handle("GET "+environment+"/variables", s.inEnvironment(s.listVariables))
	mux.Handle("GET "+environment+"/variables/{variable}", s.inEnvironment(s.getVariable))
	mux.Handle("GET "+project+"/variables", s.ofProject(s.listVariables))
	mux.Handle("GET "+project+"/variables/{variable}", s.ofProject(s.getVariable))
	for _, o := range s.projectOperations() {
		mux.Handle(o.route(project), s.ofProject(s.operate(o)))
	}
	for _, parent := range []string{project, environment} {
		mux.Handle("GET "+parent+"/activities/{activity}", s.ofActivity(s.getActivity))
		mux.Handle("GET "+parent+"/activities/{activity}/log", s.ofActivity(s.activityLog))
		mux.Handle("POST "+parent+"/activities/{activity}/cancel", s.ofActivity(s.cancelActivity))
	}
	mux.Handle("/api/", http.StripPrefix("/api", mux))
	mux.Handle("/", s.authenticated(s.notFound))
	return mux
}

// route makes a handler out of a function. Behind it, the response writer is
// always the call itself.
func route(serve func(*call)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := w.(*call)
		c.Request = r
		serve(c)
	})
}

// authenticated serves only those who have a valid access token.
func (s *Sandbox) authenticated(serve func(*call)) http.Handler {
	return route(func(c *call) {
		if !c.caller.known {
			c.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			c.fail(401, "The access token is missing, unknown or expired")
			return
		}
		serve(c)
	})
}

// inProject serves with the project of the path, settled and locked.
func (s *Sandbox) inProject(serve func(*call, *project)) http.Handler {
	return s.authenticated(func(c *call) {
		p := s.project(c.PathValue("project"))
		if p == nil {
			c.fail(404, "Project not found")
			return
		}
		if !c.caller.mayOpen(p) {
			c.fail(403, "You have no access to this project")
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.settle(c.now)
		serve(c, p)
	})
}

// ofProject serves with what stands for the project itself, settled and locked.
func (s *Sandbox) ofProject(serve func(*call, *environment)) http.Handler {
	return s.inProject(func(c *call, p *project) { serve(c, p.itself) })
}

// inEnvironment serves with the environment of the path, settled and locked.
func (s *Sandbox) inEnvironment(serve func(*call, *environment)) http.Handler {
	return s.inProject(func(c *call, p *project) {
		e := p.environment(c.PathValue("environment"))
		if e == nil {
			c.fail(404, "Environment not found")
			return
		}
		serve(c, e)
	})
}

// ofActivity serves with the activity of the path, settled and locked.
func (s *Sandbox) ofActivity(serve func(*call, *activity)) http.Handler {
	return s.inProject(func(c *call, p *project) {
		a := p.activity(c.PathValue("activity"))
		name := c.PathValue("environment")
		if a == nil || name != "" && name != a.environment.Name {
			c.fail(404, "Activity not found")
			return
		}
		serve(c, a)
	})
}

func (s *Sandbox) notFound(c *call) {
	c.fail(404, "The sandbox simulates no "+c.Method+" "+c.URL.Path)
}

// landing tells people where they are.
func (s *Sandbox) landing(c *call) {
	c.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.content.WriteString(`This is the automatond sandbox: a simulated platform.

Nothing here is real. No environment is backed up, redeployed, paused or changed
in any other way, and everything is forgotten when the process ends.

It answers as the API of Platform.sh and Upsun does, on this address:

    POST /oauth2/token              exchanges an API token for an access token
    GET  /users/me
    GET  /users/{user}/extended-access
    GET  /organizations/{organization}/projects
    GET  /projects/{project}/environments
    GET  /projects/{project}/activities

and follows the HAL links in its answers from there.
`)
}

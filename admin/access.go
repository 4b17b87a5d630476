package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// Session is a browser in which a user is signed in.
type Session struct {
	ID         string    `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	Method     string    `json:"method" enum:"password,sso"`
	Connection string    `json:"connection,omitempty" doc:"Id of the connection, of sso."`
	Began      time.Time `json:"began"`
	Seen       time.Time `json:"seen" doc:"Last use, exact to five minutes."`
	Ends       time.Time `json:"ends" doc:"At the latest."`
	Agent      string    `json:"agent,omitempty" doc:"What the browser calls itself."`
	From       string    `json:"from,omitempty" example:"192.0.2.7"`
}

// Link is an account at a provider by which a user comes in.
type Link struct {
	Connection string    `json:"connection" doc:"Id of the connection by which it was made."`
	Issuer     string    `json:"issuer" example:"https://login.example.com"`
	Subject    string    `json:"subject" doc:"As the provider names the person."`
	Linked     time.Time `json:"linked"`
	By         string    `json:"by" enum:"external_id,email,jit" doc:"How the user was found."`
}

type (
	oneSession struct {
		UserPath
		Session string `path:"session" maxLength:"40" doc:"The session's id."`
	}
	oneLink struct {
		UserPath
		Connection string `path:"connection" maxLength:"40" doc:"Id of the connection by which it was made."`
	}
)

// registerAccess adds the operations on how users come in.
func (d *door) registerAccess(api huma.API) {
	const sessions, links = usersPath + "/{id}/sessions", usersPath + "/{id}/links"
	inside(d, api, resources.AreaUsers, operation("list-user-sessions", http.MethodGet, sessions, "List where a user is signed in, newest first", 200), d.listSessions)
	inside(d, api, resources.AreaUsers, operation("end-user-sessions", http.MethodDelete, sessions, "Sign a user out everywhere; links and codes in mails end too", 204), d.endSessions)
	inside(d, api, resources.AreaUsers, operation("end-user-session", http.MethodDelete, sessions+"/{session}", "End one session", 204), d.endSession)
	inside(d, api, resources.AreaUsers, operation("list-user-links", http.MethodGet, links, "List the accounts at providers by which a user comes in", 200), d.listLinks)
	inside(d, api, resources.AreaUsers, operation("remove-user-links", http.MethodDelete, links, "Remove all of them; sessions end, and the person is linked anew at the next sign-in", 204), d.removeLinks)
	inside(d, api, resources.AreaUsers, operation("remove-user-link", http.MethodDelete, links+"/{connection}", "Remove the one that was made by a connection", 204), d.removeLink)
}

func (d *door) listSessions(ctx context.Context, in *UserPath) (*listOut[Session], error) {
	all, err := d.directory.Sessions(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	return listed(all, "", func(s *resources.Session) Session {
		return Session{s.ID, string(s.Method), s.Connection, s.Began, s.Seen, s.Ends, s.Agent, s.From}
	}), nil
}

func (d *door) endSessions(ctx context.Context, in *UserPath) (*nothing, error) {
	return nil, d.directory.RevokeSessions(ctx, in.caller, in.ID, "")
}

func (d *door) endSession(ctx context.Context, in *oneSession) (*nothing, error) {
	return nil, d.directory.RevokeSessions(ctx, in.caller, in.ID, in.Session)
}

func (d *door) listLinks(ctx context.Context, in *UserPath) (*listOut[Link], error) {
	all, err := d.directory.Links(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	return listed(all, "", func(l resources.Link) Link { return Link(l) }), nil
}

func (d *door) removeLinks(ctx context.Context, in *UserPath) (*nothing, error) {
	return nil, d.directory.Unlink(ctx, in.caller, in.ID, "")
}

func (d *door) removeLink(ctx context.Context, in *oneLink) (*nothing, error) {
	return nil, d.directory.Unlink(ctx, in.caller, in.ID, in.Connection)
}

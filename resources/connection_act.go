package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// place is where a connection stands in the indexes; its name is unique.
func (cn *Connection) place() place { return place{Noun: nounConnection, Key: cn.Name} }

// connectionIn reads a connection from its record; nil when it is another setting.
func connectionIn(rec *Record) (*Connection, error) {
	if rec == nil || nounOf(rec) != nounConnection {
		return nil, nil
	}
	var cn Connection
	if err := json.Unmarshal(rec.Profile, &cn); err != nil {
		return nil, fmt.Errorf("decode connection %s: %w", rec.ID, err)
	}
	cn.ID, cn.Version = rec.ID, rec.Version
	return &cn, nil
}

func noConnection() error { return &Error{Code: CodeNotFound, Detail: "There is no such connection."} }

// CreateConnection stores a connection; of method private_key_jwt a key is made.
// Codes: invalid_value, domain_not_verified, domain_enforced, connection_in_use,
// too_many.
func (d *Directory) CreateConnection(ctx context.Context, c Caller, spec ConnectionSpec) (*Connection, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, err
	}
	if err := spec.normalise(); err != nil {
		return nil, err
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("create connection: %w", err)
	}
	cn := &spec.Connection
	cn.Secret, cn.Public, cn.Created = nil, nil, instant(d.now())
	run := 0
	var rec *Record
	err = d.untilFree(ctx, c.Org, func() error {
		rec, err = d.create(ctx, c, KindSetting, func(tx Tx, id string, _ int64) (*Record, error) {
			run++
			p, err := d.planIn(ctx, tx, c.Org, run)
			if err != nil {
				return nil, err
			}
			cn.ID = id
			if err := errors.Join(p.enforceable(nil, cn.Enforced), spec.prove(keys, c.Org, nil, d.random)); err != nil {
				return nil, err
			}
			tx.Take(connectionPool, id)
			moveEnforced(tx, id, nil, cn.Enforced)
			tx.Event(connectionEvent(c, "connection.created", id, 1))
			return cn.place().put(tx, nil, id, cn.shownName(), cn, d.now())
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create connection: %w", connectionRefused(err, cn))
	}
	return connectionIn(rec)
}

// shownName is what people read of a connection.
func (cn *Connection) shownName() string {
	if cn.Label != "" {
		return cn.Label
	}
	return cn.Name
}

func connectionEvent(c Caller, what, id string, version uint64) Event {
	return Event{Type: what, Kind: KindSetting, ID: id, Version: version, Actor: c.Token, Request: c.Request}
}

// connectionRefused turns refusals of the commit into errors.
func connectionRefused(err error, cn *Connection) error {
	r, ok := errors.AsType[*Refusal](err)
	switch {
	case ok && r.Reason == RefusedName && r.Index == SettingKey:
		return &Error{Code: CodeConnectionInUse, Field: "name", Detail: "Another connection of your organization has the name " + quoted(cn.Name) + "; choose another."}
	case ok && r.Reason == RefusedFull && r.Pool == connectionPool.Name:
		return &Error{Code: CodeTooMany, Detail: fmt.Sprintf("An organization has at most %d connections; delete one that is not used.", maxConnections)}
	}
	return err
}

// ChangeConnection changes one, by id or name; fn sees it with its version and
// changes it. Its endpoints are to be found anew when the issuer is another one:
// they are empty unless fn says them. Codes: those of CreateConnection, not_found.
func (d *Directory) ChangeConnection(ctx context.Context, c Caller, id string, fn func(*ConnectionSpec) error) (*Connection, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, err
	}
	id, err := d.connectionID(ctx, c.Org, id)
	if err != nil {
		return nil, err
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("change connection: %w", err)
	}
	result, endpoints := &Connection{}, Endpoints{}
	run := 0
	err = d.untilFree(ctx, c.Org, func() error {
		_, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
			run++
			rec, was, err := readConnection(tx, id)
			if err != nil {
				return err
			}
			if err := c.seen(*was); err != nil {
				return err
			}
			spec := ConnectionSpec{Connection: was.clone()}
			if err := errors.Join(fn(&spec), spec.normalise()); err != nil {
				return err
			}
			spec.keep(was)
			p, err := d.planIn(ctx, tx, c.Org, run)
			if err != nil {
				return err
			}
			result, endpoints = &spec.Connection, was.Endpoints
			if err := errors.Join(p.enforceable(was.Enforced, spec.Enforced), spec.prove(keys, c.Org, was, d.random)); err != nil {
				return err
			}
			return d.putConnection(tx, c, rec, was, result)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("change connection: %w", connectionRefused(err, result))
	}
	if result.Off { // they are refused already, and stay so when it is on again
		if _, err := d.endSessions(ctx, c.Org, nounSession.with(attrOf("connection", id))); err != nil {
			return nil, err
		}
	}
	if result.Endpoints != endpoints {
		err = d.confirmed(ctx, c.Org, id)
	}
	return result, err
}

// putConnection asks for a changed connection to be stored; one that is as it was
// is not.
func (d *Directory) putConnection(tx Tx, c Caller, rec *Record, was, next *Connection) error {
	if same(was, next) {
		return nil
	}
	moveEnforced(tx, next.ID, was.Enforced, next.Enforced)
	stored, err := next.place().put(tx, rec, next.ID, next.shownName(), next, d.now())
	if err != nil {
		return err
	}
	next.Version = stored.Version
	tx.Event(connectionEvent(c, "connection.changed", next.ID, next.Version))
	return nil
}

// keep takes over what is not an administrator's to change.
func (s *ConnectionSpec) keep(was *Connection) {
	s.ID, s.Version, s.Created, s.Secret, s.Public = was.ID, was.Version, was.Created, was.Secret, was.Public
	if s.Issuer != was.Issuer && s.Endpoints == was.Endpoints {
		s.Endpoints = Endpoints{}
	}
}

// clone is a copy whose lists may be changed.
func (cn *Connection) clone() Connection {
	out := *cn
	out.Scopes, out.Algs, out.Enforced, out.ACR = slices.Clone(cn.Scopes), slices.Clone(cn.Algs), slices.Clone(cn.Enforced), slices.Clone(cn.ACR)
	return out
}

// same reports whether two connections are stored alike.
func same(a, b *Connection) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// readConnection reads a connection for change.
func readConnection(tx Tx, id string) (*Record, *Connection, error) {
	rec, err := tx.Read(KindSetting, id)
	if err != nil {
		return nil, nil, err
	}
	cn, err := connectionIn(rec)
	if err == nil && cn == nil {
		err = noConnection()
	}
	return rec, cn, err
}

// Connections lists the connections of the organization by name.
func (d *Directory) Connections(ctx context.Context, c Caller) ([]*Connection, error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return nil, err
	}
	return d.connectionsOf(ctx, c.Org)
}

func (d *Directory) connectionsOf(ctx context.Context, org OrgID) ([]*Connection, error) {
	list, _, err := listSettings(ctx, d, org, []Cond{*nounConnection.all()}, "", maxConnections, connectionIn)
	if err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	slices.SortFunc(list, func(a, b *Connection) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Connection reads one by id or name.
func (d *Directory) Connection(ctx context.Context, c Caller, id string) (*Connection, error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return nil, err
	}
	return d.connection(ctx, c.Org, id)
}

// connection reads one by id or name. Codes: not_found.
func (d *Directory) connection(ctx context.Context, org OrgID, name string) (*Connection, error) {
	id, err := d.connectionID(ctx, org, name)
	if err != nil {
		return nil, err
	}
	cn, err := d.connectionByID(ctx, org, id)
	if err == nil && cn == nil {
		err = noConnection()
	}
	return cn, err
}

// connectionByID reads a connection; nil when there is none.
func (d *Directory) connectionByID(ctx context.Context, org OrgID, id string) (*Connection, error) {
	rec, err := d.settingByID(ctx, org, id)
	if err != nil {
		return nil, err
	}
	return connectionIn(rec)
}

// connectionID finds the id of a connection; an id stands for itself, unless a
// connection has it for a name.
func (d *Directory) connectionID(ctx context.Context, org OrgID, name string) (string, error) {
	if len(name) > connectionName || name == "" {
		return "", noConnection()
	}
	id, err := d.store.Named(ctx, org, SettingKey, nounConnection.key(name))
	if err != nil {
		return "", fmt.Errorf("find connection: %w", err)
	}
	if k, ok := KindOf(name); id == "" && ok && k == KindSetting {
		return name, nil
	}
	if id == "" {
		return "", noConnection()
	}
	return id, nil
}

// DeleteConnection removes one, by id or name; sessions by it end, and alerts about
// it. Links to people stay, for another connection to the same issuer.
func (d *Directory) DeleteConnection(ctx context.Context, c Caller, id string) error {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return err
	}
	id, err := d.connectionID(ctx, c.Org, id)
	if err != nil {
		return err
	}
	_, err = d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		rec, cn, err := readConnection(tx, id)
		if err != nil {
			return err
		}
		if err := c.seen(*cn); err != nil {
			return err
		}
		tx.Delete(rec, cn.place().entries(id))
		tx.Give(connectionPool.Name, id)
		moveEnforced(tx, id, cn.Enforced, nil)
		tx.Event(connectionEvent(c, "connection.deleted", id, 0))
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete connection: %w", err)
	}
	if _, err := d.endSessions(ctx, c.Org, nounSession.with(attrOf("connection", id))); err != nil {
		return err
	}
	return d.confirmed(ctx, c.Org, id)
}

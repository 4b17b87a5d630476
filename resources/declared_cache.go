package resources

import (
	"context"
	"fmt"
	"sync"
)

// declaredCached bounds how many organizations' declarations are kept in the
// process; past it the cache starts anew.
const declaredCached = 1000

// declaredCache keeps the declarations of organizations by version, so that all
// callers share one value. The zero value is ready for use.
type declaredCache struct {
	mu  sync.RWMutex
	all map[OrgID]versioned
}

// versioned is what a version of an organization's declaration comes to,
// together with the operator's; nil when nothing is declared.
type versioned struct {
	version  uint64
	declared *Declared
}

// declaredFor gives everything that is declared for an organization.
func (d *Directory) declaredFor(ctx context.Context, o *Organization) (*Declared, error) {
	if o.Declared == 0 {
		return d.common, nil
	}
	d.declared.mu.RLock()
	v, ok := d.declared.all[o.ID]
	d.declared.mu.RUnlock()
	if ok && v.version >= o.Declared {
		return v.declared, nil
	}
	own, err := d.ownDeclared(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	all, err := d.common.Merge(own)
	if err != nil {
		// The operator's file came later than the organization's own, whose data
		// must stay in sight.
		d.log.ErrorContext(ctx, "schemas declared for all organizations clash with those of an organization, which stand alone there", "org", o.Slug, "err", err)
		all = own
	}
	return d.declared.put(o.ID, versioned{own.Version, all}), nil
}

// put remembers a version unless it, or a later one, is there: then that one is
// given.
func (dc *declaredCache) put(org OrgID, v versioned) *Declared {
	dc.mu.Lock()
	defer dc.mu.Unlock()
	if there, ok := dc.all[org]; ok && there.version >= v.version {
		return there.declared
	}
	if dc.all == nil || len(dc.all) >= declaredCached {
		dc.all = make(map[OrgID]versioned)
	}
	dc.all[org] = v
	return v.declared
}

// ownDeclared reads what an organization declared for itself; never nil without
// an error.
func (d *Directory) ownDeclared(ctx context.Context, org OrgID) (*Declared, error) {
	rec, err := d.store.Get(ctx, PlatformOrg, KindSetting, settingID(string(org)))
	if err != nil {
		return nil, fmt.Errorf("read declaration: %w", err)
	}
	return declaredIn(rec)
}

// declaredIn reads a declaration's record; nil is none yet.
func declaredIn(rec *Record) (*Declared, error) {
	if rec == nil {
		return &Declared{}, nil
	}
	own, err := ParseDeclared(rec.Profile)
	if err != nil {
		return nil, fmt.Errorf("stored declaration %s: %w", rec.ID, err)
	}
	own.Version = rec.Version
	return own, nil
}

// dropDeclared removes an organization's declaration together with the
// organization.
func dropDeclared(tx Tx, org OrgID) error {
	rec, err := tx.Read(KindSetting, settingID(string(org)))
	if err != nil || rec == nil {
		return err
	}
	tx.Delete(rec, nounDeclared.entries(rec.ID))
	return nil
}

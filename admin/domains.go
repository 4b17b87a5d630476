package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const domainsPath = orgPath + "/domains"

// Domain is a mail domain of an organization.
type Domain struct {
	Name     string       `json:"name" example:"example.com" doc:"In the form of DNS: international names as xn--."`
	State    string       `json:"state" enum:"pending,verified,lost" doc:"A verified domain makes the addresses at it verified, exactly those. A lost one was verified, and its record has been missing for 14 days."`
	Record   DomainRecord `json:"record" doc:"The record of type TXT to publish; one of the same value at the domain itself does as well."`
	Added    time.Time    `json:"addedAt"`
	Verified time.Time    `json:"verifiedAt,omitzero"`
	Checked  time.Time    `json:"checkedAt,omitzero" doc:"Last look at DNS that got an answer."`
	Missing  time.Time    `json:"missingSince,omitzero" doc:"Of a domain that was verified: since when its record was not found."`
}

// DomainRecord is what proves a domain in DNS.
type DomainRecord struct {
	Type  string `json:"type" enum:"TXT"`
	Name  string `json:"name" example:"_usher-challenge.example.com"`
	Value string `json:"value" example:"usher-domain-verification=2rk1j4v5n8p0c3e6g9i2m5q8t1u4a7d0"`
}

// NewDomain names a domain.
type NewDomain struct {
	Name string `json:"name" minLength:"1" maxLength:"300" example:"example.com" doc:"The part behind the @ of addresses."`
}

// DomainPath is embedded in the input of operations on one domain.
type DomainPath struct {
	OrgPath
	Domain string `path:"domain" maxLength:"300" doc:"The domain's name."`
}

type (
	addDomain struct {
		OrgPath
		Body NewDomain
	}
	removeDomain struct {
		DomainPath
		Conditional
		Confirm bool `query:"confirm" doc:"Must be true for a verified domain: addresses at it are verified no more."`
	}
)

func (d *door) registerDomains(api huma.API) {
	const one = domainsPath + "/{domain}"
	inside(d, api, resources.AreaOrg, operation("list-domains", http.MethodGet, domainsPath, "List mail domains by name", 200), d.listDomains)
	inside(d, api, resources.AreaOrg, operation("add-domain", http.MethodPost, domainsPath, "Add a mail domain and get the DNS record to publish; one that is there is given as it is (BR-041)", 201), d.addDomain)
	inside(d, api, resources.AreaOrg, operation("get-domain", http.MethodGet, one, "Read a mail domain", 200), d.getDomain)
	inside(d, api, resources.AreaOrg, operation("verify-domain", http.MethodPost, one+"/verify", "Look for the DNS record and verify the domain", 200, 422), d.verifyDomain)
	inside(d, api, resources.AreaOrg, operation("remove-domain", http.MethodDelete, one, "Remove a mail domain", 204, 412, 428), d.removeDomain)
}

func wireDomain(dm resources.Domain) Domain {
	name, value := dm.Record()
	return Domain{
		Name: dm.Name, State: string(dm.State), Record: DomainRecord{Type: "TXT", Name: name, Value: value},
		Added: dm.Added, Verified: dm.Verified, Checked: dm.Checked, Missing: dm.Missing,
	}
}

func domainAnswer(dm *resources.Domain, err error) (*one[Domain], error) {
	if err != nil {
		return nil, err
	}
	tag, err := tagOf(*dm)
	return &one[Domain]{ETag: tag, Body: wireDomain(*dm)}, err
}

func (d *door) listDomains(ctx context.Context, in *OrgPath) (*listOut[Domain], error) {
	all, err := d.directory.Domains(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", wireDomain), nil
}

func (d *door) addDomain(ctx context.Context, in *addDomain) (*one[Domain], error) {
	out, err := domainAnswer(d.directory.AddDomain(ctx, in.caller, in.Body.Name))
	if err != nil {
		return nil, err
	}
	out.Location = in.at("domains", out.Body.Name)
	return out, nil
}

func (d *door) getDomain(ctx context.Context, in *DomainPath) (*one[Domain], error) {
	return domainAnswer(d.directory.Domain(ctx, in.caller, in.Domain))
}

func (d *door) verifyDomain(ctx context.Context, in *DomainPath) (*one[Domain], error) {
	return domainAnswer(d.directory.CheckDomain(ctx, in.caller, in.Domain))
}

func (d *door) removeDomain(ctx context.Context, in *removeDomain) (*nothing, error) {
	c := in.caller
	c.Seen, c.Confirmed = in.seen(), in.Confirm
	return nil, d.directory.RemoveDomain(ctx, c, in.Domain)
}

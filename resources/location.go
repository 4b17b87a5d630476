package resources

import (
	"slices"
	"time"
)

// Location is a place that owns numbers and extensions (domain.md §2). Locations
// stand in the Plan.
type Location struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"` // unique in the organization, without case
	ExternalID      string    `json:"externalId,omitempty"`
	Address         string    `json:"address,omitempty"`
	Country         string    `json:"country,omitempty"` // ISO 3166, two letters: how national numbers are read
	TimeZone        string    `json:"timeZone,omitempty"`
	Language        string    `json:"language,omitempty"`
	ExtensionLength int       `json:"extensionLength,omitempty"` // 0: that of the settings
	RoutingPrefix   string    `json:"routingPrefix,omitempty"`
	MainNumber      string    `json:"mainNumber,omitempty"` // E.164
	Created         time.Time `json:"created"`
}

// locationKeys are the names that a location is found by, those that count most
// first: its id, its externalId to the letter, its name without case.
func locationKeys(id, externalID, name string) [3]string {
	return [3]string{"i" + id, "x" + externalID, "n" + string(FoldText(name))}
}

// placesOf makes the look-up of locations by what people call them.
func placesOf(all []Location) map[string]*Location {
	out := make(map[string]*Location, 3*len(all))
	for i := range all {
		for _, k := range locationKeys(all[i].ID, all[i].ExternalID, all[i].Name) {
			if len(k) > 1 {
				out[k] = &all[i]
			}
		}
	}
	return out
}

// locate finds a location by id, externalId or name; nil when there is none.
func (p *Plan) locate(text string) *Location {
	for _, k := range locationKeys(text, text, text) {
		if l := p.places[k]; l != nil {
			return l
		}
	}
	return nil
}

// locationNames lists the names of an organization's locations, for messages.
func (p *Plan) locationNames() string {
	const most = 20
	names := make([]string, 0, min(len(p.Locations), most))
	for i := range p.Locations {
		if names = append(names, p.Locations[i].Name); len(names) == most {
			break
		}
	}
	slices.Sort(names)
	return joined(names)
}

// placePool is the pool of everything that is at a location: users and numbers
// by id. Only an empty one can go (BR-201).
func placePool(location string) Pool { return Pool{Name: "place/" + location, Limit: -1} }

// NumberState is where a number is in its life (domain.md §3.8).
type NumberState string

// The states of a number.
const (
	NumberInactive  NumberState = "inactive"
	NumberAvailable NumberState = "available"
	NumberReserved  NumberState = "reserved" // held for somebody until Until
	NumberAssigned  NumberState = "assigned"
)

// Number is a telephone number in the inventory of a location. Its key among
// settings is the number in E.164; it is found by "place", location and state.
type Number struct {
	ID       string      `json:"-"`
	E164     string      `json:"e164"`
	Location string      `json:"location"` // id
	State    NumberState `json:"state"`
	Assignee string      `json:"assignee,omitempty"` // user id
	Holder   string      `json:"holder,omitempty"`   // of a reservation
	Until    time.Time   `json:"until,omitzero"`     // of a reservation or of rest after release; afterwards it is available
	Created  time.Time   `json:"created"`
	Type     string      `json:"type,omitempty"`   // fixed, mobile, … as the numbering plan says
	Region   string      `json:"region,omitempty"` // ISO 3166
}

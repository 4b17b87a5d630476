package scim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// always cannot be left out, request comes on demand only, never and
// writeOnly never come, in any answer, at both levels.
func TestDeclaredReturned(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		body := deviceBody("s1", `,"pin":"p1","secret":"p2","notes":"n","state":"new","stringOne":"x",
			"complexOne":{"value":"v","pin":"p3","hint":"h","code":"C"},
			"complexMany":[{"value":"a","pin":"p4","hint":"h","code":"C"},{"pin":"p5"}]`)
		all := "attributes=pin,secret,notes,complexOne.pin,complexOne.hint,complexMany.hint,complexMany.pin,complexMany.value"
		r := h.ask("POST", "/Devices?"+all, body).want(201)
		id := r.str("id")
		usual := func(r reply) {
			t.Helper()
			r.want(r.Code)
			r.holds(`{"value":"v","code":"C"}`, "complexOne")
			r.holds(`[{"value":"a","code":"C"}]`, "complexMany")
			r.holds(`"new"`, "state")
			r.holds("null", "notes")
		}
		asked := func(r reply) {
			t.Helper()
			r.holds(`"n"`, "notes")
			r.holds(`{"hint":"h","code":"C"}`, "complexOne")
			r.holds(`[{"value":"a","hint":"h","code":"C"}]`, "complexMany")
			r.holds("null", "stringOne")
			r.holds(`"new"`, "state")
		}
		asked(r)
		asked(h.ask("GET", "/Devices/"+id+"?"+all, ""))
		asked(h.ask("PATCH", "/Devices/"+id+"?"+all, ops(`{"op":"replace","path":"booleanOne","value":true}`)))
		usual(h.ask("GET", "/Devices/"+id, ""))
		usual(h.ask("PATCH", "/Devices/"+id, ops(`{"op":"replace","path":"booleanOne","value":false}`)))
		usual(h.ask("GET", "/Devices/"+id+"?excludedAttributes=state,serial,stringOne,notes", ""))
		usual(h.ask("GET", "/Devices/"+id+"?excludedAttributes=meta", ""))
		for _, path := range []string{"/Devices", "/Devices?" + filterOf(`serial eq "s1"`), "/Devices?" + all, "/Devices?attributes=" + deviceURN, "/Devices/" + id} {
			r := h.ask("GET", path, "").want(200)
			for _, secret := range []string{`"p1"`, `"p2"`, `"p3"`, `"p4"`, `"p5"`} {
				if strings.Contains(r.Body.String(), secret) {
					t.Errorf("%s shows %s: %s", path, secret, r.Body)
				}
			}
		}
		usual(reply{t: t, ResponseRecorder: r.ResponseRecorder, json: h.ask("GET", "/Devices", "").at("Resources", 0).(map[string]any)})
		for _, name := range []string{"pin", "secret", "complexOne.pin", "complexMany[pin eq \"p4\"]", "complexMany.pin"} {
			h.ask("GET", "/Devices?"+filterOf(strings.TrimSuffix(name+` eq "p1"`, `] eq "p1"`)+strings.Repeat("]", strings.Count(name, "]"))), "").fails(400, "invalidFilter")
			if !strings.Contains(name, "[") {
				h.ask("GET", "/Devices?sortBy="+name, "").fails(400, "invalidValue")
			}
		}
		if h.found("/Devices", `notes eq "N" and complexMany[hint eq "h"]`) != id {
			t.Error("what is returned on request is not found")
		}
		h.ask("HEAD", "/Devices/"+id, "").want(200)
	})
}

// a PUT of what GET shows changes nothing, also of what it does not show;
// null clears.
func TestDeclaredEcho(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		user := h.ask("POST", "/Users", userBody("echo@acme.example", `,"`+badgeURN+`":{"number":"7","pin":"1234","memo":"m"}`)).want(201).str("id")
		only := h.ask("POST", "/Users", userBody("hidden@acme.example", `,"`+badgeURN+`":{"pin":"1234"}`)).want(201).str("id")
		room := h.ask("POST", "/Rooms", `{"schemas":["`+roomURN+`"],"displayName":"R","`+planURN+`":{"floor":"1","code":"c"}}`).want(201).str("id")
		device := h.device("s", `,"pin":"p","secret":"q","notes":"n","complexOne":{"value":"v","pin":"r","hint":"h"},
			"complexMany":[{"value":"a","type":"lan","pin":"1"},{"value":"b","pin":"2"},{"weight":3,"pin":"3"}]`)
		for _, path := range []string{"/Users/" + user, "/Users/" + only, "/Rooms/" + room, "/Devices/" + device} {
			before, stored := h.ask("GET", path, "").want(200), h.profile(path)
			after := h.ask("PUT", path, before.Body.String()).want(200)
			if after.Body.String() != before.Body.String() || after.str("meta", "version") != `W/"1"` || h.profile(path) != stored {
				t.Errorf("the echo changed %s\n%s\n%s\n%s\n%s", path, before.Body, after.Body, stored, h.profile(path))
			}
		}
		for _, c := range []struct{ path, body, want string }{
			{"/Users/" + user, userBody("echo@acme.example", `,"`+badgeURN+`":{"number":"8","pin":null}`), `"` + badgeURN + `":{"number":"8","memo":"m"}}`},
			{"/Users/" + user, userBody("echo@acme.example", `,"`+badgeURN+`:memo":null,"`+badgeURN+`:number":"9"`), `"` + badgeURN + `":{"number":"9"}}`},
			{"/Users/" + only, userBody("hidden@acme.example", `,"`+badgeURN+`":null`), `"userName":"hidden@acme.example"}`},
			{
				"/Devices/" + device, deviceBody("s", `,"pin":null,"secret":"new","complexOne":{"value":"w"},"complexMany":[{"value":"b"},{"weight":3},{"value":"A","type":"LAN"},{"value":"c"}]`),
				`"serial":"s","secret":"new","complexOne":{"value":"w","pin":"r","hint":"h"},"complexMany":[{"value":"b","pin":"2"},{"weight":3,"pin":"3"},{"value":"A","type":"LAN","pin":"1"},{"value":"c"}],"notes":"n"}`,
			},
			{
				"/Devices/" + device, deviceBody("s", `,"secret":"","notes":[],"complexOne":{"value":"w","hint":null},"complexMany":[{"value":"b","pin":""},{"weight":3}]`),
				`"serial":"s","complexOne":{"value":"w","pin":"r"},"complexMany":[{"value":"b"},{"weight":3}]}`,
			},
			{"/Devices/" + device, deviceBody("s"), `"serial":"s"}`},
		} {
			h.ask("PUT", c.path, c.body).want(200)
			if got := unblocked(h.profile(c.path)); !strings.HasSuffix(got, c.want) {
				t.Errorf("PUT %s\nstored %s\nwant … %s", c.body, got, c.want)
			}
		}
		// Required, but not shown: only what was never there is missing.
		h.ask("PUT", "/Rooms/"+room, `{"schemas":["`+roomURN+`"],"displayName":"R","`+planURN+`":{"floor":"2","code":null}}`).fails(400, "invalidValue")
		h.ask("PUT", "/Rooms/"+room, `{"schemas":["`+roomURN+`"],"displayName":"R","`+planURN+`":{"code":"d"}}`).fails(400, "invalidValue")
		h.ask("POST", "/Rooms", `{"schemas":["`+roomURN+`"],"displayName":"R","`+planURN+`":{"floor":"1"}}`).fails(400, "invalidValue")
	})
}

// profile is the stored document behind an address, without schemas and id.
func (h *house) profile(path string) string {
	h.t.Helper()
	caller, err := h.dir.Authenticate(h.t.Context(), h.token["acme"])
	if err != nil {
		h.t.Fatal(err)
	}
	id := path[strings.LastIndexByte(path, '/')+1:]
	kind, _ := resources.KindOf(id)
	rec, err := h.dir.Get(h.t.Context(), caller, kind, id)
	if err != nil {
		h.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(rec.Profile), id+`",`)
	return "{" + rest
}

// immutable and readOnly, at both levels, in PUT and PATCH.
func TestDeclaredMutability(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		id := h.device("s", `,"by":"me","complexOne":{"note":"x","weight":1},"`+stockURN+`":{"shelf":"1"}`)
		h.ask("GET", "/Devices/"+id, "").want(200).holds("null", "by")
		patch := func(op string) reply { t.Helper(); return h.ask("PATCH", "/Devices/"+id, ops(op)) }
		for _, op := range []string{ // unset: may be set once
			`{"op":"add","path":"made","value":"DE"}`, `{"op":"add","path":"marks","value":["CE","GS"]}`,
			`{"op":"add","path":"complexOne.fixed","value":"f"}`, `{"op":"add","path":"` + stockURN + `:tag","value":"t"}`,
		} {
			patch(op).want(200)
			patch(op).want(200) // equal
		}
		for _, op := range []string{
			`{"op":"replace","path":"made","value":"FR"}`, `{"op":"remove","path":"made"}`, `{"op":"replace","value":{"made":"FR"}}`,
			`{"op":"add","path":"marks","value":["UL"]}`, `{"op":"remove","path":"marks[value eq \"CE\"]"}`,
			`{"op":"replace","path":"complexOne.fixed","value":"g"}`, `{"op":"replace","path":"complexOne","value":{"fixed":"g"}}`,
			`{"op":"remove","path":"complexOne"}`, `{"op":"remove","path":"complexOne.fixed"}`,
			`{"op":"replace","path":"` + stockURN + `:tag","value":"u"}`, `{"op":"remove","path":"` + stockURN + `"}`,
			`{"op":"replace","path":"by","value":"me"}`, `{"op":"remove","path":"serial"}`,
		} {
			patch(op).fails(400, "mutability")
		}
		patch(`{"op":"replace","value":{"by":"me","made":"DE"}}`).want(200)
		kept := `,"made":"DE","marks":["CE","GS"]`
		put := func(members string) reply {
			t.Helper()
			return h.ask("PUT", "/Devices/"+id, deviceBody("s", members))
		}
		r := put(kept + `,"complexOne":{"fixed":"f"}`).want(200) // equal
		r.holds(`{"fixed":"f"}`, "complexOne")
		r = put("").want(200) // left out
		r.holds(`"DE"`, "made")
		r.holds(`{"fixed":"f"}`, "complexOne")
		put(`,"` + stockURN + `":null`).want(400) // the extension would stay without shelf, which it requires
		for _, members := range []string{`,"made":"FR"`, `,"marks":["CE"]`, `,"complexOne":{"fixed":"g"}`, `,"` + stockURN + `":{"shelf":"1","tag":"u"}`} {
			put(members).fails(400, "mutability")
		}
	})
}

// unique values, each once in the organization and type, compared
// as the attribute compares; the answer names the attribute.
func TestDeclaredUniqueness(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		a := h.device("S1", `,"label":"Straße","number":7,"aliases":["one","two"]`)
		b := h.device("s1", `,"label":"other"`) // caseExact
		for _, c := range []struct{ member, name string }{
			{`"label":"STRASSE"`, deviceURN + ":label"}, {`"number":7`, deviceURN + ":number"}, {`"aliases":["x","TWO"]`, deviceURN + ":aliases"},
		} {
			for _, r := range []reply{
				h.ask("POST", "/Devices", deviceBody("new", ","+c.member)),
				h.ask("PUT", "/Devices/"+b, deviceBody("s1", ","+c.member)),
				h.ask("PATCH", "/Devices/"+b, ops(`{"op":"replace","value":{`+c.member+`}}`)),
			} {
				r.fails(409, "uniqueness")
				if d := r.str("detail"); !strings.HasPrefix(d, "attribute_in_use: ") || !strings.Contains(d, c.name) || !strings.Contains(d, a) {
					t.Errorf("%s: %q", c.member, d)
				}
			}
		}
		h.ask("POST", "/Devices", deviceBody("S1")).fails(409, "uniqueness")
		h.ask("POST", "/Rooms", `{"schemas":["`+roomURN+`"],"displayName":"R","serial":"S1","`+planURN+`":{"floor":"1","code":"c"}}`).want(201)
		h.ask("PATCH", "/Devices/"+a, ops(`{"op":"remove","path":"aliases[value eq \"two\"]"}`, `{"op":"remove","path":"label"}`)).want(200)
		h.ask("PATCH", "/Devices/"+b, ops(`{"op":"add","path":"aliases","value":"two"}`, `{"op":"replace","path":"label","value":"STRASSE"}`)).want(200)
		h.ask("DELETE", "/Devices/"+b, "").want(204)
		h.device("s1", `,"label":"strasse","aliases":["TWO"]`)
		for filter, want := range map[string]string{
			`serial eq "S1"`: a, `serial eq "S2"`: "", `aliases eq "ONE"`: a, `serial sw "S"`: a, `exact pr`: "", `number eq 7`: a,
		} {
			if got := h.found("/Devices", filter); got != want {
				t.Errorf("%s: %q, want %q", filter, got, want)
			}
		}
		badge := func(name, number string) reply {
			return h.ask("POST", "/Users", userBody(name, `,"`+badgeURN+`":{"number":"`+number+`"}`))
		}
		u := badge("u1", "N1").want(201).str("id")
		badge("u2", "N1").fails(409, "uniqueness")
		badge("u2", "n1").want(201)
		h.ask("POST", "/Groups", groupBody("G")[:len(groupBody("G"))-1]+`,"`+badgeURN+`":{"number":"N1"}}`).want(201)
		if got := h.found("/Users", badgeURN+`:number eq "N1" and userName sw "u"`); got != u {
			t.Errorf("badge: %q", got)
		}
		if got := h.found("/Groups", `number eq "N1"`); got == "" || got == u {
			t.Errorf("badge of a group: %q", got)
		}
	})
}

// Resources of one type never show among those of another, whatever is asked,
// and ids of one mean nothing at the endpoint of the other.
func TestDeclaredTypesApart(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		var devices, rooms []string
		for i := range 3 {
			devices = append(devices, h.device("s"+itoa(i), `,"externalId":"x`+itoa(i)+`","stringOne":"same text"`))
			rooms = append(rooms, h.ask("POST", "/Rooms", `{"schemas":["`+roomURN+`"],"displayName":"R`+itoa(i)+`","serial":"s`+itoa(i)+`","externalId":"x`+itoa(i)+`","`+planURN+`":{"floor":"1","code":"c"}}`).want(201).str("id"))
		}
		now := time.Now().UTC()
		before, after := now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)
		for filter, want := range map[string][]string{
			`id pr`: rooms, `id eq "` + devices[0] + `"`: nil, `id eq "` + rooms[1] + `"`: rooms[1:2],
			`id eq "` + devices[0] + `" or id eq "` + rooms[2] + `"`:                                                rooms[2:],
			`id eq "` + devices[0] + `" and serial co "s"`:                                                          nil,       // the id is the cheapest to ask for
			`serial co "s" and (id eq "` + rooms[0] + `" or id eq "` + strings.Join(devices, `" or id eq "`) + `")`: rooms[:1], // the type is
			`meta.created gt "` + before + `"`:                                                                      rooms, `meta.lastModified lt "` + after + `"`: rooms, `meta.lastModified gt "` + after + `"`: nil,
			`meta.lastModified gt "` + before + `" and meta.created gt "` + before + `"`: rooms,
			`meta.lastModified gt "` + before + `" and displayName co "R"`:               rooms,
			`meta.lastModified gt "` + before + `" or displayName co "nothing"`:          rooms,
			`meta.resourceType eq "Room"`:                                                rooms, `meta.resourceType eq "Device"`: nil, `meta pr`: rooms,
			`externalId eq "x1"`: rooms[1:2], `externalId eq "X1"`: nil, `externalId sw "x"`: rooms, `serial eq "s2"`: rooms[2:],
			`serial eq "s1" and meta.created gt "` + before + `"`: rooms[1:2],
			`serial eq "s1" and displayName co "2"`:               nil, `serial eq "s1" or meta.created gt "` + before + `"`: rooms,
			`not (serial eq "s0")`: rooms[1:], `displayName ne "R0"`: rooms[1:], `serial sw "s" and not (externalId eq "x0")`: rooms[1:],
			`meta.location ew "Rooms/` + rooms[0] + `"`: rooms[:1], `meta.version eq "W/\"1\""`: rooms,
		} {
			if got := h.found("/Rooms", filter); got != sorted(strings.Join(want, " ")) {
				t.Errorf("%s: %q, want %q", filter, got, want)
			}
		}
		for _, sort := range []string{"", "id", "meta.created", "meta.lastModified", "serial", "externalId", "displayName"} {
			r := h.ask("GET", "/Rooms?count=2&startIndex=2&sortOrder=descending&sortBy="+sort, "").want(200)
			if r.num("totalResults") != 3 || len(r.list("Resources")) != 2 || r.str("Resources", 0, "meta", "resourceType") != "Room" {
				t.Errorf("sorted by %s: %s", sort, r.Body)
			}
		}
		if n := h.ask("GET", "/Devices?count=0", "").want(200).num("totalResults"); n != 3 {
			t.Errorf("%d devices", n)
		}
		stored := h.profile("/Devices/" + devices[0])
		for method, body := range map[string]string{
			"GET": "", "HEAD": "", "DELETE": "", "PATCH": ops(`{"op":"replace","path":"displayName","value":"x"}`),
			"PUT": `{"schemas":["` + roomURN + `"],"displayName":"R","` + planURN + `":{"floor":"1","code":"c"}}`,
		} {
			same(t, method, h.ask(method, "/Rooms/00000000000000000004", body).want(404), h.ask(method, "/Rooms/"+devices[0], body).want(404))
			h.ask(method, "/Users/"+devices[0], body).want(404)
		}
		if h.profile("/Devices/"+devices[0]) != stored {
			t.Error("a device was changed as a room")
		}
		h.ask("POST", "/Groups", groupBody("G", devices[0])).fails(400, "invalidValue") // members are users and groups
		h.ask("POST", "/Devices", `{"schemas":["`+roomURN+`"],"serial":"z"}`).fails(400, "invalidSyntax")
	})
}

// Attributes of declared types may have names that mean something elsewhere.
func TestDeclaredNames(t *testing.T) {
	h := newHouse(t, "", scim.Config{}).declare(declaration(t))
	id := h.device("s", `,"members":["a","b"],"groups":"g","active":true,"userName":"Ann"`)
	r := h.ask("GET", "/Devices/"+id, "").want(200)
	r.holds(`["a","b"]`, "members")
	r.holds(`"g"`, "groups")
	for _, name := range []string{"members", "groups", "meta"} {
		if r := h.ask("GET", "/Devices/"+id+"?excludedAttributes="+name, "").want(200); r.at(name) != nil || r.at("active") != true {
			t.Errorf("without %s: %s", name, r.Body)
		}
	}
	for _, filter := range []string{`members eq "A"`, `groups eq "g"`, `active eq true`, `userName eq "ANN"`, `members pr and groups sw "G"`} {
		if h.found("/Devices", filter) != id {
			t.Errorf("%s finds nothing", filter)
		}
	}
	h.ask("PATCH", "/Devices/"+id, ops(`{"op":"add","path":"members","value":["c"]}`, `{"op":"remove","path":"members[value eq \"a\"]"}`)).want(200).holds(`["b","c"]`, "members")
	h.ask("GET", "/Devices?sortBy=groups", "").want(200)
	put := h.ask("PUT", "/Devices/"+id, deviceBody("s")).want(200)
	put.holds("null", "active")
	h.ask("PATCH", "/Devices/"+id, ops(`{"op":"replace","path":"password","value":"x"}`)).fails(400, "invalidPath") // only users have one (S10)
	long := strings.Repeat("long ", 1000)
	h.ask("PATCH", "/Devices/"+id, ops(`{"op":"replace","path":"serial","value":"`+long+`"}`)).want(200)
	for _, filter := range []string{`serial eq "` + long[:4000] + `"`, `serial eq "` + long[:3000] + `x"`} {
		if got := h.found("/Devices", filter); got != "" {
			t.Errorf("a long value is found by another one")
		}
	}
	if h.found("/Devices", `serial sw "`+long[:4000]+`"`) != id {
		t.Error("a long value is not found by its beginning")
	}
}

// L-2…L-9 hold for declared attributes; schemas says what the content is.
func TestDeclaredTolerance(t *testing.T) {
	h := newHouse(t, "", scim.Config{}).declare(declaration(t))
	r := h.ask("POST", "/Users", userBody("u", `,"`+strings.ToUpper(badgeURN)+`":{"VALID":"True","floors":3,"doors":"D1"},"`+badgeURN+`:colour":"red"`)).want(201)
	r.holds(`{"valid":true,"floors":[3],"doors":[{"value":"D1"}],"colour":"red"}`, badgeURN)
	if got := r.said("schemas"); got != `["`+userURN+`","`+badgeURN+`"]` {
		t.Errorf("schemas %s", got)
	}
	id := r.str("id")
	h.ask("PATCH", "/Users/"+id, ops(`{"op":"Add","path":"`+badgeURN+`:doors[type eq \"back\"].value","value":"D2"}`)).fails(400, "noTarget")
	r = h.ask("PATCH", "/Users/"+id, ops(
		`{"op":"add","path":"`+badgeURN+`:doors","value":[{"value":"D2","type":"back","primary":"true"}]}`,
		`{"op":"replace","path":"`+badgeURN+`:doors[type eq \"back\"].value","value":"D3"}`,
		`{"op":"replace","value":{"`+badgeURN+`":{"valid":"False"},"`+badgeURN+`:floors":[1,2]}}`)).want(200)
	r.holds(`{"valid":false,"floors":[1,2],"doors":[{"value":"D1"},{"value":"D3","type":"back","primary":true}],"colour":"red"}`, badgeURN)
	h.ask("PATCH", "/Users/"+id, ops(`{"op":"add","path":"doors","value":[{"type":"front"}]}`)).fails(400, "invalidValue")
	for _, filter := range []string{`doors[value eq "d3" and primary eq true]`, badgeURN + `:doors.value sw "D"`, `floors gt 1`, `colour eq "RED"`, `doors co "3"`} {
		if h.found("/Users", filter) != id {
			t.Errorf("%s finds nothing", filter)
		}
	}
	r = h.ask("PATCH", "/Users/"+id, ops(`{"op":"remove","path":"`+badgeURN+`"}`)).want(200)
	if got := r.said("schemas"); got != `["`+userURN+`"]` {
		t.Errorf("schemas %s", got)
	}
	g := h.group("G")
	h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"`+badgeURN+`:colour","value":"blue"}`)).want(200).holds(`{"colour":"blue"}`, badgeURN)
	h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(id)+`}`)).want(200)
	if h.found("/Groups", `colour eq "blue" and members eq "`+id+`"`) != g {
		t.Error("the group is not found")
	}
	// Types that hide something still show members and groups, and leave out what
	// they are asked to.
	h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"`+badgeURN+`:pin","value":"4711"}`)).want(200)
	h.ask("PATCH", "/Users/"+id, ops(`{"op":"add","path":"`+badgeURN+`:pin","value":"4711"}`)).want(200)
	for path, attr := range map[string]string{"/Groups/" + g: "members", "/Users/" + id: "groups"} {
		r := h.ask("GET", path, "").want(200)
		if len(r.list(attr)) != 1 || r.at("meta") == nil || strings.Contains(r.Body.String(), "4711") {
			t.Errorf("%s: %s", path, r.Body)
		}
		for _, query := range []string{"?excludedAttributes=" + attr, "?attributes=id"} {
			if r := h.ask("GET", path+query, "").want(200); r.at(attr) != nil || strings.Contains(r.Body.String(), "4711") {
				t.Errorf("%s: %s", path+query, r.Body)
			}
		}
	}
}

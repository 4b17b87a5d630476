package scim_test

import (
	"strings"
	"testing"
)

// sample is one simple type with two of its values, the smaller first.
type sample struct{ typ, low, high string }

func (v sample) one() string  { return v.typ + "One" }
func (v sample) many() string { return v.typ + "Many" }

func (v sample) ordered() bool { return v.typ != "boolean" && v.typ != "binary" }
func (v sample) textual() bool {
	return v.typ == "string" || v.typ == "reference" || v.typ == "binary"
}

// R-8…: every simple type, single and multi-valued, is written,
// read, found, sorted by, changed and removed as the built-in ones are.
func TestDeclaredTypes(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		for _, v := range samples() {
			t.Run(v.typ, func(t *testing.T) {
				h := h.at(t)
				a := h.device("a-"+v.typ, `,"`+v.one()+`":`+v.low+`,"`+strings.ToUpper(v.many())+`":[`+v.low+`,`+v.high+`]`)
				b := h.device("b-"+v.typ, `,"`+v.one()+`":`+v.high+`,"`+v.many()+`":`+v.high)                                // L-8
				c := h.device("c-" + v.typ)
				r := h.ask("GET", "/Devices/"+a, "").want(200)
				r.holds(v.low, v.one())
				r.holds("["+v.low+","+v.high+"]", v.many())
				h.ask("GET", "/Devices/"+b, "").want(200).holds("["+v.high+"]", v.many())
				h.findSample(v, a, b, c)
				h.sortSample(v, a, b, c)
				h.patchSample(v, c)
				h.showSample(v, a)
			})
		}
	})
}

// …R-71.
func (h *house) findSample(v sample, a, b, c string) {
	h.t.Helper()
	one, many := v.one(), v.many()
	filters := map[string]string{
		one + " eq " + v.low: a, one + " ne " + v.low: b + " " + c, one + " pr": a + " " + b, "not (" + one + " pr)": c,
		one + " eq null": c, many + " eq " + v.low: a, many + " eq " + v.high: a + " " + b, many + ".value eq " + v.high: a + " " + b,
		many + "[value eq " + v.low + "]": a, deviceURN + ":" + one + " eq " + v.high: b,
		strings.ToUpper(deviceURN+":"+one) + " EQ " + v.high:     b,
		one + " eq " + v.low + " or " + one + " eq " + v.high:    a + " " + b,
		many + " eq " + v.low + " and " + many + " eq " + v.high: a,
	}
	refused := []string{one + " eq " + map[bool]string{true: `5`, false: `"x y"`}[v.textual()]}
	order := map[string]string{"gt": b, "ge": a + " " + b, "lt": "", "le": a}
	for op, want := range order {
		if v.ordered() {
			filters[one+" "+op+" "+v.low] = want
		} else {
			refused = append(refused, one+" "+op+" "+v.low)
		}
	}
	for _, op := range []string{"co", "sw", "ew"} {
		if v.textual() {
			filters[one+" "+op+" "+v.low] = a
		} else {
			refused = append(refused, one+" "+op+` "x"`)
		}
	}
	for filter, want := range filters {
		if got := h.found("/Devices", `serial ew "-`+v.typ+`" and (`+filter+`)`); got != sorted(want) {
			h.t.Errorf("%s: %q, want %q", filter, got, want)
		}
		alone := h.found("/Devices", filter)
		for id := range strings.FieldsSeq(want) {
			if !strings.Contains(alone, id) {
				h.t.Errorf("%s alone: %q, lacks %q", filter, alone, id)
			}
		}
	}
	for _, filter := range refused {
		h.ask("GET", "/Devices?"+filterOf(filter), "").fails(400, "invalidFilter")
	}
}

// those without a value come last, or first when descending.
func (h *house) sortSample(v sample, a, b, c string) {
	h.t.Helper()
	for order, want := range map[string]string{"ascending": a + " " + b + " " + c, "descending": c + " " + b + " " + a} {
		r := h.ask("GET", "/Devices?sortBy="+v.one()+"&sortOrder="+order+"&"+filterOf(`serial ew "-`+v.typ+`"`), "").want(200)
		var got []string
		for i := range r.list("Resources") {
			got = append(got, r.str("Resources", i, "id"))
		}
		if v.typ != "binary" && strings.Join(got, " ") != want {
			h.t.Errorf("sort by %s %s: %v, want %s", v.one(), order, got, want)
		}
	}
}

// R-88…R-107 in all the forms of a path.
func (h *house) patchSample(v sample, id string) {
	h.t.Helper()
	one, many := v.one(), v.many()
	quoted := strings.ReplaceAll(v.low, `"`, `\"`)
	for _, step := range []struct{ op, attr, want string }{
		{`{"op":"add","path":"` + one + `","value":` + v.low + `}`, one, v.low},
		{`{"op":"Replace","path":"` + deviceURN + ":" + one + `","value":` + v.high + `}`, one, v.high},
		{`{"op":"replace","value":{"` + strings.ToUpper(one) + `":` + v.low + `,"` + deviceURN + ":" + many + `":[` + v.low + `]}}`, one, v.low},
		{`{"op":"add","path":"` + many + `","value":[` + v.high + `]}`, many, "[" + v.low + "," + v.high + "]"},
		{`{"op":"add","path":"` + many + `","value":[` + v.high + `]}`, many, "[" + v.low + "," + v.high + "]"},
		{`{"op":"remove","path":"` + many + `[value eq ` + quoted + `]"}`, many, "[" + v.high + "]"},
		{`{"op":"remove","path":"` + one + `"}`, one, "null"},
		{`{"op":"replace","path":"` + many + `","value":null}`, many, "null"},
	} {
		h.ask("PATCH", "/Devices/"+id, ops(step.op)).want(200).holds(step.want, step.attr)
	}
	wrong := map[string]string{"string": `5`, "boolean": `"x"`, "decimal": `"1"`, "integer": `1.5`, "dateTime": `"2026"`, "binary": `"*"`, "reference": `7`}[v.typ]
	h.ask("POST", "/Devices", deviceBody("wrong-"+v.typ, `,"`+one+`":`+wrong)).fails(400, "invalidValue")
	h.ask("PATCH", "/Devices/"+id, ops(`{"op":"replace","path":"`+one+`","value":`+wrong+`}`)).fails(400, "invalidValue")
}

// R-77….
func (h *house) showSample(v sample, id string) {
	h.t.Helper()
	r := h.ask("GET", "/Devices/"+id+"?attributes="+v.many(), "").want(200)
	if r.at(v.one()) != nil || r.at(v.many()) == nil || r.str("id") != id || r.at("serial") != nil {
		h.t.Errorf("attributes=%s: %s", v.many(), r.Body)
	}
	r = h.ask("GET", "/Devices/"+id+"?excludedAttributes="+deviceURN+":"+v.one(), "").want(200)
	if r.at(v.one()) != nil || r.at(v.many()) == nil {
		h.t.Errorf("excludedAttributes=%s: %s", v.one(), r.Body)
	}
	r = h.ask("PUT", "/Devices/"+id, deviceBody("a-"+v.typ, `,"`+v.one()+`":`+v.high)).want(200)
	r.holds(v.high, v.one())
	r.holds("null", v.many())
}

package admin_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/admin"
)

// TestNumbersAndCalling: the inventory of numbers and what users call with
// (BR-190 … BR-201).
func TestNumbersAndCalling(t *testing.T) { onBoth(t, numbersAndCalling) }

func numbersAndCalling(h *house) {
	base := h.org("acme")
	h.subscribe(base, "calling", 5)
	paris := h.want(201, "POST", base+"/locations", `{"name":"Paris","country":"FR","timeZone":"Europe/Paris"}`)["id"].(string)
	lyon := h.want(201, "POST", base+"/locations", `{"name":"Lyon","country":"FR"}`)["id"].(string)
	h.want(409, "POST", base+"/locations", `{"name":"paris"}`)
	rows := h.want(207, "POST", base+"/numbers", `{"location":"`+paris+`","numbers":["01 42 68 53 00","+33634333211","nonsense"],"inactive":false}`)
	if rows["succeeded"] != 2.0 || rows["failed"] != 1.0 || items(rows)[0]["e164"] != "+33142685300" || items(rows)[2]["code"] == nil {
		h.Errorf("rows %v", rows)
	}
	if got := h.want(200, "POST", base+"/numbers/validate", `{"location":"`+paris+`","numbers":["+33142685300","+33142685301"]}`); got["succeeded"] != 2.0 || items(got)[0]["detail"] == nil {
		h.Errorf("one is there already: %v", got)
	}
	list := h.want(200, "GET", base+"/numbers?location="+paris+"&q=4268", "")
	if len(items(list)) != 1 || list["available"] != 2.0 {
		h.Errorf("list %v", list)
	}
	// BR-194: the last four digits.
	if got := h.want(200, "POST", base+"/extensions/suggest", `{"location":"`+paris+`","number":"+33634333211"}`); got["extension"] != "3211" {
		h.Errorf("suggested %v", got)
	}
	zoe := h.want(201, "POST", base+"/users", `{"email":"zoe@acme.example","package":"calling","location":"Paris","number":"+33142685300"}`)
	if call := object(zoe["calling"]); call["number"] != "+33142685300" || call["location"] != paris || call["status"] != "assigned" {
		h.Errorf("created %v", zoe)
	}
	for body, code := range map[string]string{
		`{"email":"a@acme.example","package":"calling","location":"Paris","number":"+33142685300"}`:                                            "number_in_use",
		`{"email":"a@acme.example","package":"calling","location":"Nowhere","extension":"77"}`:                                                 "location_unknown",
		`{"email":"a@acme.example","package":"calling","location":"Paris"}`:                                                                    "number_or_extension_required",
		`{"email":"a@acme.example","package":"calling","location":"Paris","extension":"112"}`:                                                  "extension_invalid",
		`{"email":"a@acme.example","package":"calling","location":"Paris","extension":"78","name":{"givenName":"Ann#","familyName":"Martin"}}`: "name_invalid", // BR-065
	} {
		if got := decoded(h.T, h.ask("POST", base+"/users", body)); got["code"] != code {
			h.Errorf("%s: %v, want %s", body, got, code)
		}
	}
	if n := len(items(h.want(200, "GET", base+"/users", ""))); n != 1 {
		h.Errorf("%d users after refusals, want 1", n)
	}
	checkNumber(h, base, zoe["id"].(string), lyon)
	if got := h.want(409, "DELETE", base+"/locations/"+paris, ""); got["code"] != "location_not_empty" { // BR-201
		h.Errorf("a location in use: %v", got)
	}
	checkImport(h, base)
}

// checkNumber takes a number through its states.
func checkNumber(h *house, base, user, lyon string) {
	h.Helper()
	const one = "/numbers/+33634333211"
	if got := h.want(200, "POST", base+one+"/hold", `{"holder":"ida@acme.example"}`); got["state"] != "reserved" || got["holder"] == nil { // BR-196
		h.Errorf("held %v", got)
	}
	path := base + "/users/" + user + "/calling"
	if got := h.want(409, "PATCH", path, `{"number":"+33634333211"}`); got["code"] != "number_in_use" {
		h.Errorf("a number that is held: %v", got)
	}
	h.want(200, "POST", base+one+"/release", "")
	tag := h.ask("GET", base+one, "").Header().Get("ETag")
	if w := h.ask("POST", base+one+"/move", `{"location":"`+lyon+`"}`, "If-Match: "+tag); w.Code != 200 {
		h.Errorf("moved: %d %s", w.Code, w.Body)
	}
	if w := h.ask("DELETE", base+one, "", "If-Match: "+tag); w.Code != 412 {
		h.Errorf("deleted under an old tag: %d %s", w.Code, w.Body)
	}
	if got := h.want(422, "PATCH", path, `{"location":"Paris","number":"+33634333211"}`); got["code"] != "number_wrong_location" {
		h.Errorf("a number of another location: %v", got)
	}
	got := h.want(200, "PATCH", path, `{"location":"Lyon","number":"+33634333211","extension":"4242"}`)
	if now := object(got["effective"]); now["number"] != "+33634333211" || now["extension"] != "4242" || now["location"] != lyon {
		h.Errorf("changed %v", got)
	}
	if got := h.want(200, "PATCH", path, `{"number":null,"temporaryExtension":true}`); object(got["effective"])["number"] != nil || object(got["effective"])["temporaryExtension"] != true { // BR-193
		h.Errorf("without a number %v", got)
	}
	if list := items(h.want(200, "GET", base+"/users?numbers=true", "")); len(list) != 1 {
		h.Errorf("numbers to complete: %v", list)
	}
	h.want(204, "DELETE", base+one, "")
	h.want(404, "GET", base+one, "")
}

// checkImport imports CSV as a job, dry first, and reads its errors.
func checkImport(h *house, base string) {
	h.Helper()
	const file = "number,location\r\n+33142685310,Paris\r\n+33142685311,Lyon\r\n=SUM(1),Paris\r\n"
	if w := h.ask("POST", base+"/numbers/import", file, "Content-Type: application/json"); w.Code != 415 {
		h.Errorf("no CSV: %d %s", w.Code, w.Body)
	}
	if w := h.ask("POST", base+"/numbers/import", strings.Repeat("x", 1<<20+1), "Content-Type: text/csv"); w.Code != 413 {
		h.Errorf("too large: %d %s", w.Code, w.Body)
	}
	for _, dry := range []bool{true, false} {
		w := h.ask("POST", fmt.Sprint(base, "/numbers/import?dryRun=", dry), file, "Content-Type: text/csv; charset=utf-8")
		if w.Code != 202 {
			h.Fatalf("import: %d %s", w.Code, w.Body)
		}
		one := w.Header().Get("Location")
		h.work("acme")
		if got := h.want(200, "GET", one, ""); got["state"] != "done" || got["failed"] != 1.0 {
			h.Errorf("import %v", got)
		}
		errs := h.ask("GET", one+"/errors.csv", "")
		table, err := csv.NewReader(errs.Body).ReadAll()
		if err != nil || len(table) != 2 || strings.Join(table[0], ",") != "item,code,detail" || !strings.HasPrefix(errs.Header().Get("Content-Type"), "text/csv") {
			h.Errorf("errors %v %v %v", table, err, errs.Header())
		}
		if code := map[bool]int{true: 404, false: 200}[dry]; h.ask("GET", base+"/numbers/+33142685310", "").Code != code {
			h.Errorf("dry run %v: the number is there or not, want %d", dry, code)
		}
	}
}

// TestBillingReport: a report as CSV and as JSON, cells made safe (BR-178,
// security X7).
func TestBillingReport(t *testing.T) {
	onBoth(t, func(h *house) {
		base := h.org("acme")
		h.subscribe(base, "meetings", 5)
		h.want(201, "POST", base+"/users", `{"userName":"=cmd()","email":"","emails":[{"value":"+zoe@acme.example"}],"package":"meetings"}`)
		if rows := items(h.want(200, "GET", base+"/billing-usage", "")); len(rows) != 1 || rows[0]["users"] != 1.0 {
			h.Errorf("usage now %v", rows)
		}
		h.api = h.want(201, "POST", "/api/v1/orgs/platform/tokens", `{}`)["token"].(string)
		h.ahead = 70 * 24 * 3600e9
		if got := h.want(422, "POST", base+"/billing-reports", `{"from":"2999-01-01","to":"2999-01-02"}`); got["code"] != "report_range_invalid" {
			h.Errorf("a period to come: %v", got)
		}
		w := h.ask("POST", base+"/billing-reports", `{"level":"user"}`)
		if w.Code != 202 {
			h.Fatalf("%d %s", w.Code, w.Body)
		}
		one := w.Header().Get("Location")
		if got := h.want(409, "GET", one+"/download", ""); got["code"] != "job_running" {
			h.Errorf("before it is made: %v", got)
		}
		h.work("acme")
		got := h.want(200, "GET", one, "")
		if got["state"] != "done" || got["rows"] == 0.0 {
			h.Fatalf("report %v", got)
		}
		table, err := csv.NewReader(h.ask("GET", one+"/download", "").Body).ReadAll()
		if err != nil || len(table) != 2 || table[1][3] != "'+zoe@acme.example" {
			h.Errorf("CSV %q %v", table, err)
		}
		rows := items(h.want(200, "GET", one+"/download?format=json", ""))
		if len(rows) != 1 || rows[0]["email"] != "+zoe@acme.example" || rows[0]["package"] != "meetings" {
			h.Errorf("JSON %v", rows)
		}
		h.want(204, "DELETE", one, "")
		h.want(404, "GET", one+"/download", "")
	})
}

func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "zoe": "zoe", "=1+1": "'=1+1", "+33": "'+33", "-1": "'-1", "@x": "'@x", "\t=1": "'\t=1", "\r": "'\r", "＝1": "'＝1", "é=": "é=", "a\n=1": "a\n=1",
	} {
		if got := admin.Cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// FuzzCell: no cell begins with what makes a formula of it, and nothing but one
// quote is added.
func FuzzCell(f *testing.F) {
	f.Add("=1")
	f.Fuzz(func(t *testing.T, text string) {
		got := admin.Cell(text)
		if got != text && got != "'"+text || strings.ContainsAny(got[:min(1, len(got))], "=+-@\t\r\n") {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}

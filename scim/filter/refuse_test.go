package filter

import (
	"strings"
	"sync"
	"testing"
	"time"

	scimerr "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/resources"
)

// refusal is a filter on users and what its error has to say.
type refusal struct{ filter, says string }

func mustRefuse(t *testing.T, refusals []refusal) {
	t.Helper()
	user, _ := types(t)
	p := New()
	for _, c := range refusals {
		f, err := p.Parse(user, c.filter, Options{})
		if err == nil {
			t.Errorf("%s: accepted as %s", c.filter, f)
			continue
		}
		refused(t, c.filter, err, scimerr.ScimTypeInvalidFilter, c.says)
	}
}

// Every refusal names what is wrong and where (R-65, R-66, S13).
func TestParseRefuses(t *testing.T) {
	mustRefuse(t, []refusal{
		{``, `it is empty`},
		{`   `, `it is empty`},
		{`userName`, `an operator are expected after "userName"`},
		{`userName `, `an operator is expected after "userName"`},
		{`userName eq`, `a value are expected after "eq"`},
		{`userName eq `, `a value is expected after "eq"`},
		{`userName eq "a" and`, `and`},
		{`userName eq "a" and `, `an attribute name is expected`},
		{`userName eq "a"and title pr`, `"and"`},
		{`userName eq "a" title pr`, `at character 17: "and", "or" or the end is expected here, not "title"`},
		{`userName eq "a" and(title pr)`, `spaces are needed around "and"`},
		{`userName regex "a"`, `at character 10: "regex" is not an operator`},
		{`userName eq 'a'`, `at character 13: the value "'a'" must stand in double quotes`},
		{`userName eq aroux`, `double quotes`},
		{`userName eq "a`, `never closed`},
		{`userName eq "a\"`, `never closed`},
		{`userName eq "\x"`, `not a JSON string`},
		{`userName eq "\ud800"`, `not a JSON string`},
		{`userName eq "\u0000"`, `NUL`},
		{"userName eq \"a\nb\"", `control character`},
		{"userName\teq \"a\"", `U+0009`},
		{"userName\u00a0eq \"a\"", `U+00A0`},
		{"userName eq \"\xff\"", `at character 14: the text is not valid UTF-8`},
		{`(userName pr`, `at character 1: this parenthesis is never closed`},
		{`userName pr)`, `at character 12: this parenthesis was never opened`},
		{`()`, `an attribute name is expected here, not ")"`},
		{`not userName pr`, `no attribute "not"`},
		{`not`, `no attribute "not"`},
		{`emails[type eq "work"`, `bracket is never closed`},
		{`emails[]`, `an attribute name is expected`},
		{`emails[type eq "work"]]`, `or the end is expected here`},
		{`emails[type eq "work")]`, `never opened`},
		{`emails[(type eq "work"]`, `this parenthesis is never closed`},
		{`emails[emails[type pr]]`, `no sub-attribute`},
		{`emails[type eq "work"].foo eq "x"`, `at character 24: "emails" has no sub-attribute "foo"`},
		{`emails[type eq "work"].value`, `operator`},
		{`userName[value eq "x"]`, `no values that a condition in brackets`},
		{`emails.value[value eq "x"]`, `no values that a condition in brackets`},
	})
}

// The same for what is well written but asks for what cannot be.
func TestParseRefusesMeaning(t *testing.T) {
	mustRefuse(t, []refusal{
		{`foo eq "x"`, `User has no attribute "foo"`},
		{`userName pr and fooBar pr`, `at character 17: User has no attribute "fooBar"`},
		{`emails.foo eq "x"`, `"emails" has no sub-attribute "foo"`},
		{`userName.value eq "x"`, `"userName" has no sub-attribute "value"`},
		{`name.a.b eq "x"`, `no sub-attribute "a.b"`},
		{`emails[foo eq "x"]`, `"emails" has no sub-attribute "foo"`},
		{`urn:foo:bar eq "x"`, `"urn:foo:bar" names no schema of User`},
		{useURN + ` eq "x"`, `is a schema`},
		{useURN + `: eq "x"`, `is a schema`},
		{entURN + `:userName eq "x"`, `User has no attribute "userName"`},
		{`urn:ietf:params:scim:schemas:core:2:0:User:userName eq "x"`, `names no schema`}, // L-5
		{`active gt true`, `"gt" does not go with "active", which is of type boolean`},
		{`active le "true"`, `"le" does not go with`},
		{`active co "t"`, `"co" does not go with`},
		{`blob ge "AA"`, `"ge" does not go with`},
		{`x509Certificates.value lt "AA"`, `of type binary`},
		{`meta.created co "2011"`, `"co" does not go with "meta.created"`},
		{`level sw 5`, `"sw" does not go with`},
		{`userName eq 5`, `"userName" is of type string and compares with text in double quotes`},
		{`userName eq true`, `text in double quotes`},
		{`active eq 1`, `compares with true or false`},
		{`active eq "yes"`, `compares with true or false`},
		{`level eq "5"`, `a number without quotes`},
		{`level eq 05`, `double quotes`},
		{`level eq 1.`, `double quotes`},
		{`level eq true`, `a number without quotes`},
		{`meta.lastModified gt "yesterday"`, `a date and time in quotes`},
		{`meta.lastModified gt "2011-05-13"`, `a date and time in quotes`},
		{`meta.lastModified gt 2011`, `a date and time in quotes`},
		{`userName gt null`, `null goes with eq and ne only`},
		{`name eq "x"`, `consists of sub-attributes; name one of them, such as "name.`},
		{`meta eq "x"`, `consists of sub-attributes`},
		{`meta.version eq "x"`, `cannot be found by meta.version`},
		{`password eq "x"`, `"password"`}, // S10, R-32: no oracle
		{`password pr`, `"password"`},
		{oddURN + `:pin eq "1234"`, `never returned and cannot be compared`},
		{`pin pr or title pr`, `never returned`},
		{`pin eq null`, `never returned`},
	})
	_, group := types(t)
	_, err := New().Parse(group, `members.display eq "x"`, Options{})
	refused(t, "members.display", err, scimerr.ScimTypeInvalidFilter, "members.value")
}

// TestFilterBombs is security S13: every bomb is refused in under 5 ms. It is a
// table, long by nature.
func TestFilterBombs(t *testing.T) {
	user, _ := types(t)
	for name, text := range map[string]string{
		"20,000 (":        strings.Repeat("(", 20_000),
		"90 KB (":         strings.Repeat("(", 90<<10),
		"balanced (":      strings.Repeat("(", 45<<10) + "title pr" + strings.Repeat(")", 45<<10),
		"not( x 10,000":   strings.Repeat("not(", 10_000) + "!",
		"1,000 or":        strings.Repeat(`title pr or `, 1000) + "title pr",
		"30 KB of ff":     `userName eq "` + strings.Repeat("\xff", 30<<10) + `"`,
		"4 KB of ff":      `userName eq "` + strings.Repeat("\xff", 4000) + `"`,
		"U+FFFD":          `userName eq "` + strings.Repeat("\ufffd", 30<<10) + `"`,
		"U+FFFD outside":  strings.Repeat("\ufffd", 4000),
		"5,000 chars":     `userName eq "` + strings.Repeat("a", 4985) + `"`,
		"17 deep":         strings.Repeat("(", 17) + "title pr" + strings.Repeat(")", 17),
		"17 nots":         strings.Repeat("not (", 17) + "title pr" + strings.Repeat(")", 17),
		"17 in brackets":  strings.Repeat("(", 8) + "emails[" + strings.Repeat("(", 8) + "type pr" + strings.Repeat(")", 8) + "]" + strings.Repeat(")", 8),
		"51 comparisons":  strings.Repeat(`id pr or `, 50) + "id pr",
		"51 in brackets":  `emails[` + strings.Repeat(`type pr or `, 48) + `type pr] or id pr or id pr`,
		"4,000 (":         strings.Repeat("(", 4000),
		"4,000 quotes":    strings.Repeat(`"`, 4000),
		"4,000 [":         strings.Repeat(`emails[`, 580),
		"4,000 letters":   strings.Repeat("a", 4000),
		"4,000 :":         strings.Repeat(":", 4000) + " pr",
		"big number":      `level eq "1` + strings.Repeat("0", 4000) + `"`,
		"big exponent":    `vip eq 1e` + strings.Repeat("9", 4000),
		"one MiB":         strings.Repeat("a", 1<<20),
		"escapes":         `userName eq "` + strings.Repeat(`\u0041`, 680) + ` `,
		"and at the end":  `userName eq "a" and`,
		"nested not junk": strings.Repeat("not (", 16) + "title zz" + strings.Repeat(")", 16),
	} {
		p := New()
		start := time.Now()
		_, err := p.Parse(user, text, Options{})
		took := time.Since(start)
		refused(t, name, err, scimerr.ScimTypeInvalidFilter, "The filter is not valid")
		// Again, if need be: the machine may have been busy with something else.
		for range 20 {
			if took <= slower*5*time.Millisecond {
				break
			}
			again := New() // which has not seen the text
			start = time.Now()
			_, _ = again.Parse(user, text, Options{})
			took = min(took, time.Since(start))
		}
		if took > slower*5*time.Millisecond {
			t.Errorf("%s: took %v", name, took)
		}
	}
	p := New()
	for name, text := range map[string]string{
		"50 comparisons": strings.Repeat(`id eq "x" or `, 49) + `id eq "x"`,
		"16 deep":        strings.Repeat("(", 16) + "title pr" + strings.Repeat(")", 16),
		"4,096 chars":    `userName eq "` + strings.Repeat("é", 4096-14) + `"`,
		"U+FFFD":         `userName eq "` + strings.Repeat("\ufffd", 1300) + `"`,
		"huge number":    `level eq 1e` + strings.Repeat("9", 4000),
	} {
		if _, err := p.Parse(user, text, Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFilterInjection is security S14: values stay values.
func TestFilterInjection(t *testing.T) {
	user, _ := types(t)
	p := New()
	for literal, want := range map[string]string{
		`x\"} ; redis.call('FLUSHALL') --`:   `x"} ; redis.call('FLUSHALL') --`,
		`*`:                                  `*`,
		`a\r\nDEL b`:                         "a\r\nDEL b",
		`t:B:`:                               `t:B:`,
		`x\" or userName pr or title eq \"y`: `x" or userName pr or title eq "y`,
		`)] and [(`:                          `)] and [(`,
		`a\\`:                                `a\`,
		`\u0040\u00E9\u00e9\/`:               `@éé/`,
		`\ud83d\ude00`:                       "😀",
		`a+b%20c`:                            `a+b%20c`, // decoding is over before (L-28)
	} {
		f := mustParse(t, p, user, `userName eq "`+literal+`"`)
		if f.root.op != opEq || f.root.lit.Text != want {
			t.Errorf("%s: became %v %q", literal, f.root.op, f.root.lit.Text)
		}
		q := f.Plan()
		if q.Where == nil || q.Where.Op != resources.CondIs || q.Where.Value != resources.UserName.Key(want) {
			t.Errorf("%s: planned as %+v", literal, q.Where)
		}
	}
}

// TestUnquoted is L-17, which only some connections ask for.
func TestUnquoted(t *testing.T) {
	user, _ := types(t)
	p := New()
	for filter, want := range map[string]string{
		`externalId eq aroux`:                  `externalId eq "aroux"`,
		`(externalId eq aroux) and title pr`:   `externalId eq "aroux" and title pr`,
		`externalId eq 12345`:                  `externalId eq "12345"`,
		`externalId eq True`:                   `externalId eq "True"`,
		`externalId eq null`:                   `externalId eq null`,
		`displayName eq Zoë`:                   `displayName eq "Zoë"`,
		`emails[value eq a@b.c].type eq work`:  `emails[value eq "a@b.c" and type eq "work"]`,
		`externalId eq urn:x:[1]`:              `externalId eq "urn:x:[1]"`,
		`active eq True`:                       `active eq true`,
		`level eq 5`:                           `level eq 5`,
		`meta.created gt 2011-05-13T04:42:34Z`: `meta.created gt "2011-05-13T04:42:34Z"`,
	} {
		f, err := p.Parse(user, filter, Options{Unquoted: true})
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.String(); got != want {
			t.Errorf("%s: got %s, want %s", filter, got, want)
		}
	}
	for _, bad := range []string{`externalId eq a"b`, `active eq yes`, `level eq five`, `externalId eq `, "externalId eq a\u200b"} {
		_, err := p.Parse(user, bad, Options{Unquoted: true})
		refused(t, bad, err, scimerr.ScimTypeInvalidFilter, "The filter is not valid at character")
	}
}

func TestErrorsEchoLittle(t *testing.T) {
	user, _ := types(t)
	p := New()
	long := strings.Repeat("x\u0301", 600)
	for _, f := range []string{
		long[:900] + " eq 1", strings.Repeat("q", 2000) + ` eq "1"`, `userName ` + strings.Repeat("z", 2000) + ` "1"`,
		`userName eq ` + strings.Repeat("z", 2000), `emails.` + strings.Repeat("z", 2000) + ` pr`, `userName pr ` + strings.Repeat("z", 2000),
	} {
		_, err := p.Parse(user, f, Options{})
		refused(t, f, err, scimerr.ScimTypeInvalidFilter, "not valid")
		if strings.Contains(err.Error(), strings.Repeat("z", maxEcho+1)) {
			t.Errorf("%.40s: echoes too much", f)
		}
	}
}

func TestShapesAreBounded(t *testing.T) {
	user, _ := types(t)
	p := New()
	ops := []string{"title pr", `title eq "x"`, `title ne "x"`, `title co "x"`, `title sw "x"`, `title ew "x"`}
	for i := range 2000 {
		var parts []string
		for n := i; n > 0; n /= len(ops) {
			parts = append(parts, ops[n%len(ops)])
		}
		parts = append(parts, "title pr")
		mustParse(t, p, user, strings.Join(parts, " or "))
		mustParse(t, p, user, `userName eq "x"`) // in use: never forgotten
		if p.now["a eq 0"] == nil && p.old["a eq 0"] == nil {
			t.Fatal("a shape in use was forgotten")
		}
	}
	if n := len(p.now) + len(p.old); n > 2*generation {
		t.Errorf("%d shapes are remembered", n)
	}
}

// One Parser serves many requests at once (run with -race).
func TestParserIsShared(t *testing.T) {
	user, _ := types(t)
	p := New()
	shared := mustParse(t, p, user, `userName sw "amelie" and emails[type eq "work"]`)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				text := strings.Repeat("title pr or ", (g*31+i)%40) + `userName sw "amelie"`
				f, err := p.Parse(user, text, Options{})
				if err != nil || !f.Match(alice()) || !shared.Match(alice()) || shared.Plan().Match == nil {
					t.Errorf("%s: %v", text, err)
				}
			}
		})
	}
	all.Wait()
}

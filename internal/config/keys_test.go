package config

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// TestSecretKeys: keys are read from variables and files, in every writing of
// base64, and refused without being shown (security X10).
func TestSecretKeys(t *testing.T) {
	raw := bytes.Repeat([]byte{0xfb, 0xff}, 16)
	for name, in := range map[string]Input{
		"standard":    {Env: map[string]string{"USHER_SECRET_KEY": base64.StdEncoding.EncodeToString(raw)}},
		"unpadded":    {Env: map[string]string{"USHER_SECRET_KEY": base64.RawStdEncoding.EncodeToString(raw)}},
		"of URLs":     {Env: map[string]string{"USHER_SECRET_KEY": base64.URLEncoding.EncodeToString(raw)}},
		"of a file":   {Env: map[string]string{"USHER_SECRET_KEY_FILE": write(t, "key", base64.StdEncoding.EncodeToString(raw)+"\n")}},
		"in the YAML": {File: write(t, "usher.yaml", "secret_key: "+base64.StdEncoding.EncodeToString(raw)+"\n")},
	} {
		got, err := Load(in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		current, older, err := got.SecretKeys()
		if err != nil || !bytes.Equal(current, raw) || older != nil {
			t.Errorf("%s: %x, %x, %v", name, current, older, err)
		}
	}
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 40)
	text := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	got, err := Load(Input{Env: map[string]string{"USHER_SECRET_KEY": text(raw), "USHER_SECRET_KEY_OLD": text(one) + ", " + text(two)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, older, err := got.SecretKeys(); err != nil || len(older) != 2 || !bytes.Equal(older[0], one) || !bytes.Equal(older[1], two) {
		t.Errorf("older keys %x, %v", older, err)
	}
	if none, err := Load(Input{}); err != nil {
		t.Error(err)
	} else if current, _, err := none.SecretKeys(); current != nil || err != nil {
		t.Errorf("without a key: %x, %v", current, err)
	}
}

func TestSecretKeyFaults(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	short := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 31))
	for name, tt := range map[string]struct {
		in   Input
		want string
		hide string
	}{
		"short":           {Input{Env: map[string]string{"USHER_SECRET_KEY": short}}, "it has 31 bytes and needs 32; make one with: openssl rand -base64 32", short},
		"no base64":       {Input{Env: map[string]string{"USHER_SECRET_KEY": "correct horse battery staple"}}, "secret_key (variable USHER_SECRET_KEY): it is not base64", "horse"},
		"old alone":       {Input{Env: map[string]string{"USHER_SECRET_KEY_OLD": good}}, "secret_key_old (variable USHER_SECRET_KEY_OLD): it only opens", good},
		"one of the old":  {Input{Env: map[string]string{"USHER_SECRET_KEY": good, "USHER_SECRET_KEY_OLD": good + "," + short}}, "key 2: it has 31 bytes", short},
		"in broken YAML":  {Input{File: write(t, "a.yaml", "secret_key: "+good+"\nlissten: x\n")}, "unknown field", good},
		"old, in as much": {Input{File: write(t, "b.yaml", "secret_key_old: ["+good+"]\nlissten: x\n")}, "b.yaml", good},
	} {
		got, err := Load(tt.in)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		all := err.Error() + fmt.Sprintf("%v %+v", got.Config, got.Config)
		for _, s := range Settings() {
			all += got.Show(s)
		}
		if strings.Contains(all, tt.hide) {
			t.Errorf("%s: the key is shown: %s", name, all)
		}
	}
}

// TestResolvers: addresses of DNS servers.
func TestResolvers(t *testing.T) {
	got, err := Load(Input{Env: map[string]string{"USHER_DNS_RESOLVER": "127.0.0.1:53,[2001:db8::1]:5353,dns.acme.example:53"}})
	if err != nil || len(got.DNS.Resolver) != 3 {
		t.Errorf("%v, %v", got.DNS.Resolver, err)
	}
	for _, text := range []string{"127.0.0.1", ":53", "127.0.0.1:0", "127.0.0.1:99999", "a:1,b:1,c:1,d:1,e:1,f:1"} {
		if _, err := Load(Input{Env: map[string]string{"USHER_DNS_RESOLVER": text}}); err == nil || !strings.Contains(err.Error(), "dns.resolver") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

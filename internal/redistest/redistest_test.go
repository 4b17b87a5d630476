package redistest

import (
	"context"
	"testing"
)

func TestServerLivesAndDies(t *testing.T) {
	s := Run(t, Config{Args: []string{"--appendonly", "yes", "--appendfsync", "everysec"}})
	if err := s.ping(context.Background()); err != nil {
		t.Fatalf("a started server does not answer: %v", err)
	}
	s.Kill()
	if err := s.ping(context.Background()); err == nil {
		t.Fatal("a killed server still answers")
	}
	if err := s.Restart(); err != nil {
		t.Fatalf("restart: %v", err)
	}
	if err := s.ping(context.Background()); err != nil {
		t.Fatalf("a restarted server does not answer: %v", err)
	}
}

func TestServersDoNotMeet(t *testing.T) {
	a, b := Run(t, Config{}), Run(t, Config{})
	if a.Addr == b.Addr || a.Dir == b.Dir {
		t.Fatalf("two servers share address or directory: %s %s", a.Addr, b.Addr)
	}
}

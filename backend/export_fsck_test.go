package backend

import "github.com/redis/go-redis/v9"

// Raw is the connection to the store behind a Store, for tests that damage it.
func (s *Store) Raw() redis.UniversalClient { return s.writes }

// Package redisurl reads the URL that says where a Redis store is.
//
// The flow: [Parse] takes one of three forms apart and says what is wrong with
// any other text; [URL.WithPassword] joins a password that was configured
// apart. A URL holds a password: no error of this package quotes any of it.
package redisurl

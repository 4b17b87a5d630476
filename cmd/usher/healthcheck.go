package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/internal/config"
)

const healthTime = 3 * time.Second // for one check

func newHealthcheckCommand(p *program) *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use: "healthcheck", Short: "Ask a running usher whether it lives; for container images", Args: wants(),
		Example: "  usher healthcheck\n  usher healthcheck --url http://127.0.0.1:8080/readyz",
	}
	cmd.Flags().StringVar(&url, "url", "", "address to ask (default: /healthz on the metrics listener of the configuration, or on the main one when that is off)")
	cmd.Flags().String("config", "", "YAML file with settings")
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		if url == "" {
			file, err := cmd.Flags().GetString("config")
			if err != nil {
				return err
			}
			// Faults elsewhere in the configuration do not matter here.
			loaded, _ := config.Load(config.Input{File: file, Env: p.env})
			url = probeURL(&loaded.Config)
		}
		return p.healthcheck(ctx, url)
	})
	return cmd
}

// probeURL is where a running server of this configuration answers probes
// from its own machine. The metrics listener never speaks TLS, so that no
// certificate has to name the loopback address.
func probeURL(c *config.Config) string {
	scheme, listen := "http", c.Metrics.Listen
	if listen == "off" {
		listen = c.Listen
		if c.TLSOn() {
			scheme = "https"
		}
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://127.0.0.1:9090/healthz"
	}
	if addr := net.ParseIP(host); host == "" || addr != nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/healthz"
}

func (p *program) healthcheck(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return &failure{exit: exitUsage, why: err, todo: "give a URL such as http://127.0.0.1:9090/healthz"}
	}
	req.Header.Set("User-Agent", agent())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return &failure{exit: exitUnavailable, what: "usher does not answer", why: err, todo: "see whether it runs and listens there"}
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return &failure{exit: exitUnavailable, what: "usher is not well", why: errors.New(url + " answers " + resp.Status), todo: "see its log"}
	}
	_, err = fmt.Fprintln(p.stdout, "ok")
	return err
}

package main

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the numbers of one server. No label has a value that clients
// choose.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	store    *prometheus.HistogramVec
	faults   *prometheus.CounterVec
	reruns   prometheus.Counter
	mails    *prometheus.CounterVec
}

func newMetrics() *metrics {
	fast := []float64{.0002, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_scim_requests_total", Help: "SCIM requests answered.",
		}, []string{"op", "resource", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "usher_scim_request_seconds", Help: "Time to answer a SCIM request.", Buckets: fast,
		}, []string{"op", "resource"}),
		store: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "usher_redis_seconds", Help: "Time of a call to the store, repeats included.", Buckets: fast,
		}, []string{"op"}),
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_redis_errors_total", Help: "Calls to the store that ended with an error.",
		}, []string{"op"}),
		reruns: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "usher_commit_reruns_total", Help: "Units of work run again because something they read had changed.",
		}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_mail_sent_total", Help: "Mails given to the mail server, by what came of it: sent, refused (for good), delayed, settings (it refuses usher itself).",
		}, []string{"template", "outcome"}),
	}
	build := thisBuild()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "usher_build_info", Help: "Always 1; the labels say which usher this is.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Revision, "go": build.Go},
	})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.store, m.faults, m.reruns, m.mails, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// streams reads how many events there are, whenever somebody asks for the
// numbers. While the store does not answer, the number is left out rather than
// all the others with it.
type streams struct {
	desc   *prometheus.Desc
	length func(context.Context) (int64, error)
	log    *slog.Logger
}

// lengthTime is how long the store may take to count.
const lengthTime = time.Second

// watchStreams adds the length of the streams to the numbers.
func (m *metrics) watchStreams(length func(context.Context) (int64, error), log *slog.Logger) {
	m.registry.MustRegister(&streams{
		desc:   prometheus.NewDesc("usher_stream_length", "Events in the streams of all organizations; left out while the store does not answer.", nil, nil),
		length: length, log: log,
	})
}

// watchDataDir adds whether the data directory of the embedded store takes writes.
func (m *metrics) watchDataDir(writable func() error) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "usher_data_dir_writable", Help: "1 while what is written reaches the data directory; 0 while writes are refused because it does not.",
	}, func() float64 {
		if writable() != nil {
			return 0
		}
		return 1
	}))
}

// Describe tells what Collect will give.
func (s *streams) Describe(to chan<- *prometheus.Desc) { to <- s.desc }

// Collect asks the store.
func (s *streams) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lengthTime)
	defer cancel()
	n, err := s.length(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "events not counted", "err", err)
		return
	}
	to <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, float64(n))
}

// scim counts one SCIM request.
func (m *metrics) scim(op, resource string, status int, d time.Duration) {
	m.requests.WithLabelValues(op, resource, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(op, resource).Observe(d.Seconds())
}

// redis counts one call to the store.
func (m *metrics) redis(op string, d time.Duration, err error) {
	m.store.WithLabelValues(op).Observe(d.Seconds())
	if err != nil {
		m.faults.WithLabelValues(op).Inc()
	}
}

// reran counts a unit of work that had to be run again.
func (m *metrics) reran() { m.reruns.Inc() }

// mail counts one try to send a mail.
func (m *metrics) mail(template, outcome string) { m.mails.WithLabelValues(template, outcome).Inc() }

// handler serves the numbers.
func (m *metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry: m.registry, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), Timeout: 10 * time.Second,
	})
}

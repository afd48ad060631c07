package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"pushbench/results"
	"pushbench/results/report"
)

// A metricsServer exposes the current run to Prometheus. It runs in the process that controls the
// run, not in a server or a load generator, and receives an update per second.
type metricsServer struct {
	scenario string
	server   *http.Server
	ended    chan error

	delivered, published *prometheus.CounterVec
	latency              *prometheus.HistogramVec
	invalid              *prometheus.CounterVec
}

// checkMetricsAddress refuses an address that other machines can reach; "" is none.
func checkMetricsAddress(address string) error {
	if at, err := netip.ParseAddrPort(address); address != "" && (err != nil || !at.Addr().IsLoopback()) {
		return Usagef("--metrics: %q is not a loopback address with a port; allowed: an address such as 127.0.0.1:9464", address)
	}
	return nil
}

// startMetrics serves /metrics about a scenario at an address of this machine.
func startMetrics(address, scenario string) (*metricsServer, error) {
	if err := checkMetricsAddress(address); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, Usagef("--metrics: %w", err)
	}
	m := newMetrics(scenario)
	go func() { m.ended <- m.server.Serve(listener) }()
	return m, nil
}

// newMetrics returns a server that does not listen yet.
func newMetrics(scenario string) *metricsServer {
	m := &metricsServer{
		scenario:  scenario,
		ended:     make(chan error, 1),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pushbench_delivered_total", Help: "Messages delivered, including those of warm-ups."}, report.MetricLabels),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pushbench_published_total", Help: "Publications acknowledged."}, report.MetricLabels),
		invalid:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pushbench_invalid_trials_total", Help: "Trials discarded because a validity check failed."}, []string{"scenario", "servers"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pushbench_delivery_latency_seconds", Help: "Time from when a message was due until the client received it, for messages due in a window. Validity checks are not applied yet.",
			Buckets: report.LatencyBuckets, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 200, NativeHistogramMinResetDuration: time.Hour,
		}, report.MetricLabels),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.delivered, m.published, m.invalid, m.latency)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return m
}

// interval adds one second of a trial. servers names the build of its servers: report.OwnServers or
// report.BaselineServers.
func (m *metricsServer) interval(servers string, i results.Interval) {
	labels := []string{m.scenario, i.ConfigurationName(), i.Transport, servers} // report.MetricLabels
	m.delivered.WithLabelValues(labels...).Add(float64(i.Delivered))
	m.published.WithLabelValues(labels...).Add(float64(i.Published))
	hdr := i.Latency.HDR()
	if hdr == nil {
		return
	}
	observer := m.latency.WithLabelValues(labels...)
	for _, bar := range hdr.Distribution() {
		for range bar.Count {
			observer.Observe((float64(bar.From) + float64(bar.To)) / 2 / 1e9)
		}
	}
}

// close stops the server and waits for it.
func (m *metricsServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := m.server.Shutdown(ctx)
	if ended := <-m.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

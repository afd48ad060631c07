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
	server *http.Server
	ended  chan error

	delivered, published *prometheus.CounterVec
	latency              *prometheus.HistogramVec
	invalid              prometheus.Counter
}

// startMetrics serves /metrics at an address of this machine.
func startMetrics(address string) (*metricsServer, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, Usagef("--metrics: %q is not a loopback address with a port; allowed: an address such as 127.0.0.1:9464", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, Usagef("--metrics: %w", err)
	}
	labels := []string{"case", "servers"}
	m := &metricsServer{
		ended:     make(chan error, 1),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pushbench_delivered_total", Help: "Messages delivered, including those of warm-ups."}, labels),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pushbench_published_total", Help: "Publications acknowledged."}, labels),
		invalid:   prometheus.NewCounter(prometheus.CounterOpts{Name: "pushbench_void_trials_total", Help: "Trials discarded because a validity check failed."}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pushbench_delivery_latency_seconds", Help: "Time from when a message was due until the client received it, for messages due in a window. Validity checks are not applied yet.",
			Buckets: report.LatencyBuckets, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 200, NativeHistogramMinResetDuration: time.Hour,
		}, labels),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.delivered, m.published, m.invalid, m.latency)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { m.ended <- m.server.Serve(listener) }()
	return m, nil
}

// interval adds one second of a trial. servers names the build of its servers: "own" or "beside".
func (m *metricsServer) interval(servers string, i results.Interval) {
	m.delivered.WithLabelValues(i.ConfigurationName(), servers).Add(float64(i.Delivered))
	m.published.WithLabelValues(i.ConfigurationName(), servers).Add(float64(i.Published))
	hdr := i.Latency.HDR()
	if hdr == nil {
		return
	}
	observer := m.latency.WithLabelValues(i.ConfigurationName(), servers)
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

#include "control/report/metrics.hpp"

#include <fmt/core.h>

#include <functional>
#include <map>
#include <string_view>

#include "config/shared/totals.hpp"
#include "control/report/exposition.hpp"
#include "control/report/memory_metrics.hpp"
#include "control/report/release_metrics.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"
#include "control/version.hpp"

namespace gray::control {
namespace {

/// Bounds of the buckets of durations, in microseconds: 1 ms to 60 s.
constexpr std::int64_t kBounds[] = {1'000,     2'500,     5'000,      10'000,     25'000,
                                    50'000,    100'000,   250'000,    500'000,    1'000'000,
                                    2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};

constexpr const char* kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};  // none: the client had disconnected

/// The values of one version, for all metric families.
struct Sample {
  const ServiceSettings& service;
  const VersionSettings& version;
  const VersionView* view;
  std::optional<std::uint32_t> row;
  segment::Totals totals;
  std::string labels;  // service="web",version="v1"
};
using Samples = std::vector<Sample>;

Samples samples_of(const ReportSource& source) {
  Samples samples;
  for (const auto& service : source.settings.services) {
    for (const auto& version : service.versions) {
      const auto row = source.rows.find(service.name, version.name);
      samples.push_back({service, version, view_of(source.views, service.name, version.name), row,
                         row ? segment::sum(source.layout, *row) : segment::Totals{},
                         version_labels(service.name, version.name)});
    }
  }
  return samples;
}

using Value = std::function<double(const Sample&)>;

void per_version(std::string& out, const Samples& samples, std::string_view name, std::string_view type,
                 std::string_view help, const Value& value) {
  announce(out, name, type, help);
  for (const auto& sample : samples) out += fmt::format("{}{{{}}} {}\n", name, sample.labels, value(sample));
}

/// One series for each name of a member of `counts` from `first` on; members that share a name are added. Members of 0
/// are there, too: Prometheus does not count what a series begins with, so a first burst would be lost.
template <typename NameOf, std::size_t N>
void split(std::string& out, const Sample& sample, std::string_view name, std::string_view label_name,
           std::size_t first, const std::uint64_t (&counts)[N], NameOf name_of) {
  std::map<std::string_view, std::uint64_t> by_name;
  for (std::size_t i = first; i < N; ++i) by_name[name_of(i)] += counts[i];
  for (const auto& [member, count] : by_name)
    out += fmt::format("{}{{{},{}=\"{}\"}} {}\n", name, sample.labels, label_name, member, count);
}

void requests(std::string& out, const Samples& samples) {
  const auto reason_name = [](std::size_t i) { return segment::name_of(static_cast<segment::Reason>(i)); };
  const auto decision_name = [](std::size_t i) { return segment::name_of(static_cast<segment::Decision>(i)); };
  announce(out, "grayd_requests_total", "counter", "Finished requests, by class of the answer.");
  for (const auto& sample : samples)
    split(out, sample, "grayd_requests_total", "code", 0, sample.totals.status_class,
          [](std::size_t i) { return kClasses[i]; });
  announce(out, "grayd_route_decisions_total", "counter", "Requests by the source that decided their version.");
  for (const auto& sample : samples)
    split(out, sample, "grayd_route_decisions_total", "decision", 1, sample.totals.decisions, decision_name);
  announce(out, "grayd_failures_total", "counter",
           "Requests without a complete answer of a worker, by reason; see X-Gray-Reason.");
  for (const auto& sample : samples)
    split(out, sample, "grayd_failures_total", "reason", 1, sample.totals.reasons, reason_name);
  announce(out, "grayd_retries_refused_total", "counter",
           "Failed attempts that were not repeated because of the retry budget, by the reason of the failure.");
  for (const auto& sample : samples)
    split(out, sample, "grayd_retries_refused_total", "reason", 1, sample.totals.retries_refused, reason_name);
}

void counters(std::string& out, const Samples& samples) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t segment::Totals::* member) {
    per_version(out, samples, name, "counter", help,
                [member](const Sample& s) { return static_cast<double>(s.totals.*member); });
  };
  counter("grayd_errors_total", "Answers 5xx of a version, and 502 and 504 caused by it.", &segment::Totals::errors);
  counter("grayd_retries_total", "Repeated attempts.", &segment::Totals::retries);
  counter("grayd_asset_retries_total",
          "Assets that a version did not have, and for which other versions were asked; see docs/routing.md.",
          &segment::Totals::asset_retries);
  counter("grayd_affinity_spills_total", "Requests that another worker than that of their user got: it had no room.",
          &segment::Totals::affinity_spills);
  counter("grayd_request_body_bytes_total", "Bytes of request bodies.", &segment::Totals::bytes_in);
  counter("grayd_response_body_bytes_total", "Bytes of response bodies.", &segment::Totals::bytes_out);
  counter("grayd_upstream_connects_total", "Sockets to workers that were opened.", &segment::Totals::connects);
  counter("grayd_upstream_connect_errors_total", "Sockets to workers that could not be opened.",
          &segment::Totals::connect_errors);
}

/// A bucket of the segment is counted by its largest value. So a value that is less than 1/16 below a bound may be
/// counted one bound too high.
void histogram(std::string& out, const Samples& samples, const ReportSource& source, std::string_view name,
               std::string_view help, segment::Histogram segment::Row::* which) {
  announce(out, name, "histogram", help);
  for (const auto& sample : samples) {
    const auto totals = sample.row ? segment::sum(source.layout, *sample.row, which) : segment::HistogramTotals{};
    std::uint64_t below = 0;
    std::uint32_t bucket = 0;
    for (const auto bound : kBounds) {
      while (bucket < segment::kHistogramBuckets && segment::upper_bound(bucket).count() <= bound)
        below += totals.buckets[bucket++];
      out +=
          fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, sample.labels, static_cast<double>(bound) / 1e6, below);
    }
    while (bucket < segment::kHistogramBuckets) below += totals.buckets[bucket++];
    out += fmt::format("{0}_bucket{{{1},le=\"+Inf\"}} {2}\n{0}_sum{{{1}}} {3}\n{0}_count{{{1}}} {2}\n", name,
                       sample.labels, below, static_cast<double>(totals.sum) / 1e6);
  }
}

/// A canary that is down gets no users: they go to stable.
double effective_weight(const Sample& sample, const ReportSource& source) {
  const auto shares = shares_of(sample.service, source.state);
  const bool canary_up = !shares.canary.empty() && is_up(view_of(source.views, sample.service.name, shares.canary));
  if (sample.version.name == shares.stable) return canary_up ? 100 - shares.weight : 100;
  return canary_up ? shares.of(sample.version.name) : 0;
}

void weights(std::string& out, const Samples& samples, const ReportSource& source) {
  announce(out, "grayd_version_weight_ratio", "gauge",
           "Share of users: as set (desired), and in force while versions are down (effective).");
  for (const auto& sample : samples) {
    const double desired = shares_of(sample.service, source.state).of(sample.version.name);
    out += fmt::format("grayd_version_weight_ratio{{{},kind=\"desired\"}} {}\n", sample.labels, desired / 100);
    out += fmt::format("grayd_version_weight_ratio{{{},kind=\"effective\"}} {}\n", sample.labels,
                       effective_weight(sample, source) / 100);
  }
}

void gauges(std::string& out, const Samples& samples, const ReportSource& source) {
  per_version(out, samples, "grayd_requests_in_flight", "gauge", "Requests in flight.",
              [](const Sample& s) { return static_cast<double>(s.totals.in_flight); });
  per_version(out, samples, "grayd_requests_waiting", "gauge", "Requests waiting for a worker.",
              [](const Sample& s) { return static_cast<double>(s.totals.waiting); });
  per_version(out, samples, "grayd_version_up", "gauge", "Whether a version can take requests.",
              [](const Sample& s) { return is_up(s.view) ? 1.0 : 0.0; });
  weights(out, samples, source);
}

using WorkerValue = std::function<double(const WorkerView&)>;

void per_worker(std::string& out, const Samples& samples, std::string_view name, std::string_view type,
                std::string_view help, const WorkerValue& value) {
  announce(out, name, type, help);
  for (const auto& sample : samples) {
    if (sample.view == nullptr) continue;
    for (const auto& worker : sample.view->workers) {
      out += fmt::format("{}{{{},worker=\"{}\"}} {}\n", name, sample.labels, label_value(worker.id), value(worker));
    }
  }
}

void workers(std::string& out, const Samples& samples, const ReportSource& source) {
  per_worker(out, samples, "grayd_worker_up", "gauge", "Whether a worker can take requests.",
             [](const WorkerView& w) { return w.routable ? 1.0 : 0.0; });
  per_worker(out, samples, "grayd_worker_restarts_total", "counter", "Restarts of a worker.",
             [](const WorkerView& w) { return static_cast<double>(w.restarts); });
  per_worker(out, samples, "grayd_worker_rss_bytes", "gauge", "Resident memory of a worker.",
             [&](const WorkerView& w) { return static_cast<double>(source.resident(w)); });
  per_worker(out, samples, "grayd_worker_memory_bytes", "gauge",
             "Memory of a worker with all its processes, as its cgroup says, without the cache of files.",
             [&](const WorkerView& w) { return static_cast<double>(source.memory(w)); });
  per_worker(out, samples, "grayd_worker_sockets", "gauge", "Open sockets to a worker.", [&](const WorkerView& w) {
    return w.pid > 0 ? static_cast<double>(source.layout.workers[w.cell].sockets.total()) : 0.0;
  });
}

void tunnels(std::string& out, const Samples& samples, const ReportSource& source) {
  per_version(out, samples, "grayd_tunnels", "gauge", "Upgraded connections to the workers of a version.",
              [&](const Sample& sample) {
                std::uint32_t count = 0;
                if (sample.view == nullptr) return 0.0;
                for (const auto& worker : sample.view->workers) {
                  if (worker.pid > 0) count += source.layout.workers[worker.cell].tunnels.total();
                }
                return static_cast<double>(count);
              });
}

void single(std::string& out, std::string_view name, std::string_view type, std::string_view help, double value) {
  announce(out, name, type, help);
  out += fmt::format("{} {}\n", name, value);
}

/// The sum of one counter over all threads of all routers, including the dead ones.
template <typename Cell>
std::uint64_t sum_of(const segment::Layout& layout, Cell cell) {
  std::uint64_t total = cell(layout.wire_base).load(std::memory_order_relaxed);
  for (const auto& slot : layout.wire) {
    for (const auto& thread : slot) total += cell(thread).load(std::memory_order_relaxed);
  }
  return total;
}

/// Several reasons share a name, because clients get the same answer.
void refusals(std::string& out, const ReportSource& source) {
  announce(out, "grayd_refused_total", "counter",
           "Requests that were answered by the router before a version was chosen.");
  std::map<std::string_view, std::uint64_t> by_name;
  for (std::size_t reason = 1; reason < static_cast<std::size_t>(segment::Reason::count); ++reason) {
    by_name[segment::name_of(static_cast<segment::Reason>(reason))] +=
        sum_of(source.layout, [&](const segment::WireCounts& wire) -> const auto& { return wire.refused[reason]; });
  }
  for (const auto& [name, count] : by_name) {
    out += fmt::format("grayd_refused_total{{reason=\"{}\"}} {}\n", name, count);
  }
}

void faults(std::string& out, const ReportSource& source) {
  announce(out, "grayd_faults_total", "counter", "Rules of HTTP that one side broke, see docs/http.md.");
  for (std::size_t side = 0; side < segment::kSides; ++side) {
    for (std::size_t rule = 0; rule < segment::kRules; ++rule) {
      const auto count = sum_of(
          source.layout, [&](const segment::WireCounts& wire) -> const auto& { return wire.faults[side][rule]; });
      out += fmt::format("grayd_faults_total{{rule=\"{}\",side=\"{}\"}} {}\n",
                         rule == 0 ? "PROXY" : fmt::format("P{}", rule),
                         segment::name_of(static_cast<segment::Side>(side)), count);
    }
  }
  announce(out, "grayd_tls_handshakes_total", "counter", "TLS handshakes that were completed.");
  out += fmt::format(
      "grayd_tls_handshakes_total {}\n",
      sum_of(source.layout, [](const segment::WireCounts& wire) -> const auto& { return wire.handshakes; }));
  announce(out, "grayd_tls_handshake_failures_total", "counter", "TLS handshakes that failed, by reason.");
  for (std::size_t i = 1; i < static_cast<std::size_t>(tls::HandshakeFailure::count); ++i)
    out += fmt::format(
        "grayd_tls_handshake_failures_total{{reason=\"{}\"}} {}\n", tls::name_of(static_cast<tls::HandshakeFailure>(i)),
        sum_of(source.layout,
               [&](const segment::WireCounts& wire) -> const auto& { return wire.handshake_failures[i]; }));
  announce(out, "grayd_tls_not_after_seconds", "gauge", "When a certificate expires, in seconds since 1970.");
  for (const TlsView& one : source.tls)
    out += fmt::format("grayd_tls_not_after_seconds{{tls=\"{}\"}} {}\n", one.name, one.not_after);
  announce(out, "grayd_write_errors_total", "counter", "Connections on which a send failed.");
  for (std::size_t side = 0; side < segment::kSides; ++side) {
    out += fmt::format(
        "grayd_write_errors_total{{side=\"{}\"}} {}\n", segment::name_of(static_cast<segment::Side>(side)),
        sum_of(source.layout, [&](const segment::WireCounts& wire) -> const auto& { return wire.write_errors[side]; }));
  }
}

void forwards(std::string& out, const ReportSource& source) {
  single(out, "grayd_forwarded_for_cut_total", "counter",
         "Requests whose X-Forwarded-For names more trusted proxies than are read.",
         static_cast<double>(
             sum_of(source.layout, [](const segment::WireCounts& wire) -> const auto& { return wire.forwards_cut; })));
  single(out, "grayd_forwarded_for_unreadable_total", "counter",
         "Requests whose X-Forwarded-For has a member that is not an address.",
         static_cast<double>(sum_of(
             source.layout, [](const segment::WireCounts& wire) -> const auto& { return wire.forwards_unreadable; })));
  single(out, "grayd_forwards_ignored_total", "counter",
         "Requests with X-Forwarded-* or Forwarded of peers that are not in trusted_proxies.",
         static_cast<double>(sum_of(
             source.layout, [](const segment::WireCounts& wire) -> const auto& { return wire.forwards_ignored; })));
}

void process(std::string& out, const ReportSource& source) {
  std::uint64_t connections = 0;
  for (const auto& slot : source.layout.connections) connections += slot.load(std::memory_order_relaxed);
  single(out, "grayd_open_connections", "gauge", "Client connections open.", static_cast<double>(connections));
  single(out, "grayd_routers", "gauge", "Router processes alive.", static_cast<double>(source.routers.size()));
  single(out, "grayd_uptime_seconds", "gauge", "Time since the master started.", source.uptime_s);
  single(out, "grayd_access_log_lost_lines_total", "counter", "Lines that could not be written to the access log.",
         static_cast<double>(log_lines_lost(source.layout)));
  single(out, "grayd_events_lost_total", "counter", "Events that were not written to disk.",
         static_cast<double>(source.events_dropped));
  announce(out, "grayd_build_info", "gauge", "Always 1; the labels name the version.");
  out += fmt::format("grayd_build_info{{version=\"{}\"}} 1\n", kVersion);
}

void configuration(std::string& out, const ReportSource& source) {
  announce(out, "grayd_config_reloads_total", "counter", "Attempts to reload the configuration.");
  out += fmt::format("grayd_config_reloads_total{{result=\"accepted\"}} {}\n", source.reloads.accepted);
  out += fmt::format("grayd_config_reloads_total{{result=\"refused\"}} {}\n", source.reloads.refused);
  single(out, "grayd_config_last_reload_successful", "gauge", "Whether the last attempt was accepted.",
         source.reloads.last_good ? 1 : 0);
  single(out, "grayd_config_last_reload_success_timestamp_seconds", "gauge",
         "When the configuration was last accepted, the start included.",
         std::chrono::duration<double>(source.reloads.last_good_at.time_since_epoch()).count());
  single(out, "grayd_config_file_changed", "gauge", "Whether the file differs from the loaded configuration.",
         source.config_changed ? 1 : 0);
}

}  // namespace

std::uint64_t log_lines_lost(const segment::Layout& layout) {
  std::uint64_t lost = layout.log_lost_base.load(std::memory_order_relaxed);
  for (const auto& slot : layout.log_lost) lost += slot.load(std::memory_order_relaxed);
  return lost;
}

std::string metrics_text(const ReportSource& source) {
  const auto samples = samples_of(source);
  std::string out;
  requests(out, samples);
  counters(out, samples);
  histogram(out, samples, source, "grayd_request_duration_seconds",
            "Time from the first byte of a request to the last byte of its answer.", &segment::Row::duration);
  histogram(out, samples, source, "grayd_queue_wait_seconds", "Time that requests waited for a socket to a worker.",
            &segment::Row::waited);
  gauges(out, samples, source);
  tunnels(out, samples, source);
  workers(out, samples, source);
  refusals(out, source);
  faults(out, source);
  forwards(out, source);
  process(out, source);
  release_metrics(out, source);
  single(out, "grayd_memory_budget_bytes", "gauge", "memory.budget, for all routers.",
         static_cast<double>(source.settings.memory_budget));
  memory_metrics(out, source.layout);
  configuration(out, source);
  return out;
}

}  // namespace gray::control

#include "grayd/metrics.hpp"

#include <fmt/core.h>

#include <functional>
#include <string_view>

#include "control/version.hpp"
#include "grayd/serving.hpp"
#include "grayd/weights.hpp"
#include "router/stats/row.hpp"

namespace gray::master {
namespace {

/// Backslash, quote and newline are the only characters that a label value must escape.
std::string label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

/// One version as every family sees it.
struct Sample {
  const ServiceSettings& service;
  const VersionSettings& version;
  const supervisor::VersionView* view;
  stats::Totals totals;
  std::string labels;  // service="web",version="v1"
};

std::vector<Sample> samples_of(const ReportSource& source) {
  std::vector<Sample> samples;
  for (const auto& service : source.settings.services) {
    for (const auto& version : service.versions) {
      const auto row = source.rows.find(service.name, version.name);
      samples.push_back({service, version, view_of(source.views, service.name, version.name),
                         row ? stats::sum(source.layout, *row) : stats::Totals{},
                         fmt::format("service=\"{}\",version=\"{}\"", label(service.name), label(version.name))});
    }
  }
  return samples;
}

using Value = std::function<double(const Sample&)>;

void per_version(std::string& out, const std::vector<Sample>& samples, std::string_view name, std::string_view type,
                 std::string_view help, const Value& value) {
  head(out, name, type, help);
  for (const auto& sample : samples) out += fmt::format("{}{{{}}} {}\n", name, sample.labels, value(sample));
}

void counters(std::string& out, const std::vector<Sample>& samples) {
  per_version(out, samples, "grayd_requests_total", "counter", "Requests completed, whatever the outcome.",
              [](const Sample& s) { return static_cast<double>(s.totals.requests); });
  per_version(out, samples, "grayd_errors_total", "counter", "Answers 5xx of a version, and 502 and 504 because of it.",
              [](const Sample& s) { return static_cast<double>(s.totals.errors); });
  per_version(out, samples, "grayd_retries_total", "counter", "Attempts that were repeated.",
              [](const Sample& s) { return static_cast<double>(s.totals.retries); });
  per_version(out, samples, "grayd_request_body_bytes_total", "counter", "Bytes of request bodies.",
              [](const Sample& s) { return static_cast<double>(s.totals.bytes_in); });
  per_version(out, samples, "grayd_response_body_bytes_total", "counter", "Bytes of response bodies.",
              [](const Sample& s) { return static_cast<double>(s.totals.bytes_out); });
}

void decisions(std::string& out, const std::vector<Sample>& samples) {
  head(out, "grayd_route_decisions_total", "counter", "Requests by what decided their version.");
  for (const auto& sample : samples) {
    for (std::size_t i = 1; i < static_cast<std::size_t>(segment::Decision::count); ++i) {
      const auto count = sample.totals.decisions[i];
      if (count == 0) continue;
      out += fmt::format("grayd_route_decisions_total{{{},decision=\"{}\"}} {}\n", sample.labels,
                         segment::name_of(static_cast<segment::Decision>(i)), count);
    }
  }
}

void gauges(std::string& out, const std::vector<Sample>& samples, const ReportSource& source) {
  per_version(out, samples, "grayd_in_flight", "gauge", "Requests under way.",
              [](const Sample& s) { return static_cast<double>(s.totals.in_flight); });
  per_version(out, samples, "grayd_waiting", "gauge", "Requests waiting for a worker.",
              [](const Sample& s) { return static_cast<double>(s.totals.waiting); });
  per_version(out, samples, "grayd_version_weight_percent", "gauge", "Percent of users that a version gets.",
              [&](const Sample& s) { return shares_of(s.service, source.state).of(s.version.name); });
  per_version(out, samples, "grayd_version_up", "gauge", "Whether a version can take requests.",
              [](const Sample& s) { return is_up(s.view) ? 1.0 : 0.0; });
}

using WorkerValue = std::function<double(const supervisor::WorkerView&)>;

void per_worker(std::string& out, const std::vector<Sample>& samples, std::string_view name, std::string_view type,
                std::string_view help, const WorkerValue& value) {
  head(out, name, type, help);
  for (const auto& sample : samples) {
    if (sample.view == nullptr) continue;
    for (const auto& worker : sample.view->workers) {
      out += fmt::format("{}{{{},worker=\"{}\"}} {}\n", name, sample.labels, label(worker.id), value(worker));
    }
  }
}

void workers(std::string& out, const std::vector<Sample>& samples, const ReportSource& source) {
  using supervisor::WorkerView;
  per_worker(out, samples, "grayd_worker_up", "gauge", "Whether a worker can take requests.",
             [](const WorkerView& w) { return w.routable ? 1.0 : 0.0; });
  per_worker(out, samples, "grayd_worker_restarts_total", "counter", "Restarts of a worker.",
             [](const WorkerView& w) { return static_cast<double>(w.restarts); });
  per_worker(out, samples, "grayd_worker_rss_bytes", "gauge", "Resident memory of a worker.",
             [](const WorkerView& w) { return static_cast<double>(w.rss_bytes); });
  per_worker(out, samples, "grayd_worker_sockets", "gauge", "Open sockets to a worker.", [&](const WorkerView& w) {
    return w.pid > 0 ? static_cast<double>(source.layout.workers[w.cell].sockets.total()) : 0.0;
  });
}

void process(std::string& out, const ReportSource& source) {
  std::uint64_t connections = 0;
  for (const auto& slot : source.layout.connections) connections += slot.load(std::memory_order_relaxed);
  head(out, "grayd_open_connections", "gauge", "Client connections open.");
  out += fmt::format("grayd_open_connections {}\n", connections);
  head(out, "grayd_routers", "gauge", "Router processes alive.");
  out += fmt::format("grayd_routers {}\n", source.routers.size());
  head(out, "grayd_uptime_seconds", "gauge", "Time since the master started.");
  out += fmt::format("grayd_uptime_seconds {:.3f}\n", source.uptime_s);
  head(out, "grayd_build_info", "gauge", "Always 1; the labels say what runs.");
  out += fmt::format("grayd_build_info{{version=\"{}\"}} 1\n", control::kVersion);
}

}  // namespace

std::string metrics_text(const ReportSource& source) {
  const auto samples = samples_of(source);
  std::string out;
  counters(out, samples);
  decisions(out, samples);
  gauges(out, samples, source);
  workers(out, samples, source);
  process(out, source);
  return out;
}

}  // namespace gray::master

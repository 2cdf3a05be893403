// Offers load to one HTTP/1.1 address and prints the results as JSON. Open loop (--rate) for latency and overload,
// closed loop (--connections) for capacity.
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "tests/bench/generator.hpp"

namespace gray::bench {
namespace {

struct Options {
  Plan plan;
  std::string target, host;
  double seconds = 10;
  double timeout = 10;
  std::uint32_t keep_alive = 0;
  std::string ids;
  bool fresh = false;
  bool after_probe = false;
  double probe_limit = 90;
  double quick = 0.2;
};

Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

void declare(CLI::App& app, Options& options) {
  app.add_option("target", options.target, "HOST:PORT, an IPv4 address")->required();
  app.add_option("--rate", options.plan.rate, "open loop: requests per second, a new connection each");
  app.add_option("--keepalive", options.keep_alive, "open loop over this many kept connections");
  app.add_option("--connections", options.plan.connections, "closed loop: requests in flight at once");
  app.add_flag("--fresh", options.fresh, "closed loop: a new connection for every request");
  app.add_option("--seconds", options.seconds, "for how long requests are offered")->capture_default_str();
  app.add_option("--requests", options.plan.requests, "end after so many");
  app.add_option("--timeout", options.timeout, "seconds until a client gives up")->capture_default_str();
  app.add_option("--method", options.plan.method)->capture_default_str();
  app.add_option("--path", options.plan.path, "{id} stands for the id of the request")->capture_default_str();
  app.add_option("--host", options.host, "the Host header; the target if not given");
  app.add_option("--header", options.plan.headers, "\"Name: value\", repeatable; {id} works here too");
  app.add_option("--param-ids", options.ids, "A..B: ids in turn; as ?id=N where nothing says {id}");
  app.add_flag("--after-probe", options.after_probe,
               "when all have ended: one request at a time until a 200 takes less than --quick");
  app.add_option("--quick", options.quick, "seconds, of the probe")->capture_default_str();
  app.add_option("--probe-limit", options.probe_limit, "seconds after which the probe gives up")->capture_default_str();
}

void read_target(Options& options) {
  const std::size_t colon = options.target.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos) port = static_cast<unsigned>(std::atoi(options.target.c_str() + colon + 1));
  if (port == 0 || port > 65535)
    throw std::invalid_argument("target " + options.target + ": give HOST:PORT, like 127.0.0.1:8000");
  options.plan.host = options.host.empty() ? options.target : options.host;
  options.plan.target = ipv4(options.target.substr(0, colon), static_cast<std::uint16_t>(port));
}

void read_ids(Options& options) {
  if (options.ids.empty()) return;
  Plan& plan = options.plan;
  unsigned long long first = 0, last = 0;
  if (std::sscanf(options.ids.c_str(), "%llu..%llu", &first, &last) != 2 || last < first)
    throw std::invalid_argument("--param-ids " + options.ids + ": give a range like 1..1000");
  plan.first_id = first;
  plan.last_id = last;
  const auto names_id = [](const std::string& text) { return text.find("{id}") != std::string::npos; };
  if (!names_id(plan.path) && std::none_of(plan.headers.begin(), plan.headers.end(), names_id))
    plan.path += plan.path.find('?') == std::string::npos ? "?id={id}" : "&id={id}";
}

void read_mode(Options& options) {
  Plan& plan = options.plan;
  if ((plan.rate > 0) == (plan.connections > 0))
    throw std::invalid_argument("give either --rate (open loop) or --connections (closed loop)");
  plan.keep_alive = plan.rate > 0 ? options.keep_alive > 0 : !options.fresh;
  if (plan.rate > 0) plan.connections = options.keep_alive;
  plan.duration = seconds(options.seconds);
  plan.patience = std::chrono::duration_cast<Micros>(seconds(options.timeout));
}

/// How long it takes from now until the service is quick again.
nlohmann::json probe(const Options& options) {
  Plan plan = options.plan;
  plan.rate = 0;
  plan.requests = 0;
  plan.connections = 1;
  plan.keep_alive = false;
  plan.duration = seconds(options.probe_limit);
  plan.quick = std::chrono::duration_cast<Micros>(seconds(options.quick));
  Generator generator{plan};
  generator.run();
  const double took = std::chrono::duration<double>(generator.elapsed()).count();
  return {{"recovered_s", generator.quick_seen() ? nlohmann::json(took) : nlohmann::json(nullptr)},
          {"probes", generator.offered()}};
}

int run(const Options& options) {
  raise_descriptor_limit();
  prctl(PR_SET_TIMERSLACK, 1);  // the default of 50 us would show up in every latency
  Generator generator{options.plan};
  generator.run();
  nlohmann::json result = generator.tally().to_json(generator.offered(), generator.elapsed());
  if (options.after_probe) result["after_probe"] = probe(options);
  std::printf("%s\n", result.dump(2).c_str());
  return 0;
}

}  // namespace
}  // namespace gray::bench

int main(int argc, char** argv) {
  gray::bench::Options options;
  CLI::App app{"Offers HTTP/1.1 load and prints what became of it as JSON."};
  gray::bench::declare(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    gray::bench::read_target(options);
    gray::bench::read_ids(options);
    gray::bench::read_mode(options);
    return gray::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loadgen: %s\n", error.what());
    return 2;
  }
}

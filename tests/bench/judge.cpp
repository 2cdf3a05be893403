// Simulated releases through the real judge; prints its figures as JSON. scripts/bench rollout runs it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/control/judge/simulation.hpp"

namespace gray::control::simulation {
namespace {

using nlohmann::json;
constexpr std::uint64_t kFirstSeed = 1'000'000;

/// run(seed) for each seed, on all cores; results in the order of the seeds.
template <class Run>
auto for_seeds(unsigned seeds, Run run) {
  std::vector<decltype(run(0))> results(seeds);
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (unsigned core = 0; core < cores; ++core) {
    threads.emplace_back([&, core] {
      for (unsigned i = core; i < seeds; i += cores) results[i] = run(kFirstSeed + i);
    });
  }
  threads.clear();
  return results;
}

constexpr double kNever = 1e9;

json error_figures(double healthy, unsigned seeds) {
  const auto runs = for_seeds(seeds, [&](std::uint64_t seed) { return errors({.healthy = healthy}, seed); });
  std::vector<double> seconds;
  std::vector<unsigned> users;
  for (const auto& run : runs) {
    seconds.push_back(run ? run->after : kNever);
    users.push_back(run ? run->users : 0);
  }
  return {{"healthy_s", healthy},
          {"seeds", seeds},
          {"median_s", quantile_of(seconds, 0.5)},
          {"p95_s", quantile_of(seconds, 0.95)},
          {"median_users", quantile_of(users, 0.5)}};
}

json latency_figures(double sigma, unsigned seeds) {
  const auto runs =
      for_seeds(seeds, [&](std::uint64_t seed) { return slower({.sigma = sigma}, seed).value_or(kNever); });
  return {{"sigma", sigma}, {"seeds", seeds}, {"median_s", quantile_of(runs, 0.5)}, {"p95_s", quantile_of(runs, 0.95)}};
}

json equal_latency_figures(double sigma, unsigned seeds) {
  const Slower plan{.times = 1, .sigma = sigma, .limit = 3'600};
  const auto runs = for_seeds(seeds, [&](std::uint64_t seed) { return slower(plan, seed).has_value() ? 1 : 0; });
  return {{"sigma", sigma}, {"seeds", seeds}, {"hours", 1}, {"false_aborts", std::count(runs.begin(), runs.end(), 1)}};
}

json equal_figures(unsigned seeds) {
  const auto runs = for_seeds(seeds, [](std::uint64_t seed) { return fails_although_equal({}, seed) ? 1 : 0; });
  return {{"seeds", seeds}, {"hours", 24}, {"false_aborts", std::count(runs.begin(), runs.end(), 1)}};
}

int run(int argc, char** argv) {
  double scale = 1;
  CLI::App app{"simulated releases through the judge"};
  app.add_option("--scale", scale, "part of the seeds: 0.1 runs a tenth of them")->check(CLI::Range(0.001, 1.0));
  CLI11_PARSE(app, argc, argv);
  const auto of = [&](double seeds) { return static_cast<unsigned>(std::max(1.0, seeds * scale)); };
  json figures;
  for (const double healthy : {0.0, 120.0, 3'600.0, 21'600.0})
    figures["errors"].push_back(error_figures(healthy, of(300)));
  for (const double sigma : {0.5, 1.0}) figures["slower"].push_back(latency_figures(sigma, of(300)));
  for (const double sigma : {0.5, 1.0}) figures["equal_latency"].push_back(equal_latency_figures(sigma, of(250)));
  figures["equal"] = equal_figures(of(3'000));
  std::printf("%s\n", figures.dump(2).c_str());
  return 0;
}

}  // namespace
}  // namespace gray::control::simulation

int main(int argc, char** argv) { return gray::control::simulation::run(argc, argv); }

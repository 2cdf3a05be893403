#include "control/grayctl/status_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

using namespace gray::control;
using nlohmann::json;

namespace {

json worker(int id, const char* state, const char* address, json last_exit = nullptr) {
  return {{"id", "v" + std::to_string(id)},
          {"pid", 1234500 + id},
          {"state", state},
          {"address", address},
          {"ready_by", "notify"},
          {"restarts", id},
          {"last_exit", last_exit},
          {"rss_bytes", 47'395'635},
          {"uptime_s", 7325}};
}

json version(const char* name, double weight, double configured, const char* state, json workers) {
  return {{"name", name},
          {"weight", weight},
          {"configured_weight", configured},
          {"state", state},
          {"requests", 1234567},
          {"errors", 3},
          {"in_flight", 12},
          {"sockets", 24},
          {"queue", {{"waiting", 0}, {"limit", 256}}},
          {"verdict", "none"},
          {"workers", workers},
          {"last_minute", {{"requests_per_second", 120.4}, {"error_ratio", 0}, {"p50_ms", 12.3}, {"p99_ms", 1234}}}};
}

json example() {
  json v2 = version("v2", 20, 5, "failed", json::array({worker(2, "backoff", "127.0.0.1:40001", "exited 1")}));
  v2["last_minute"] = {{"requests_per_second", 3.24}, {"error_ratio", 0.125}, {"p50_ms", 0.42}, {"p99_ms", 347.6}};
  v2["verdict"] = "worse";
  v2["verdict_text"] = "5 of 40 users failed, with stable 2 of 900";
  v2["cause"] =
      "not ready within 60s: the last lines it said were \"Error: listen EADDRINUSE: address already in use\"";
  json web = {
      {"name", "web"},
      {"stable", "v1"},
      {"versions",
       {version("v1", 80, 95, "serving",
                {worker(0, "healthy", "127.0.0.1:40000"), worker(1, "unhealthy", "127.0.0.1:40002", "signal 9")}),
        v2}}};
  return {{"schema_version", 1},
          {"services", {web}},
          {"routers", {{{"pid", 99}, {"slot", 0}, {"state", "serving"}, {"table", 7}}}},
          {"pid", 98},
          {"uptime_s", 90'000},
          {"version", "0.1.0"},
          {"config_file", "/etc/grayd.toml"}};
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::size_t widest(const std::string& text) {
  std::istringstream in(text);
  std::size_t width = 0;
  for (std::string line; std::getline(in, line);) width = std::max(width, columns(line));
  return width;
}

}  // namespace

TEST_CASE("a restart that runs has a line, one that is over has none") {
  json status = example();
  json& v1 = status["services"][0]["versions"][0];
  v1["restart"] = {{"state", "running"}, {"replaced", 2}, {"of", 4}};
  CHECK(view_status(status, {}).find("\n  restart: 2 of 4 workers replaced\n") != std::string::npos);
  v1["restart"]["state"] = "done";
  CHECK(view_status(status, {}).find("restart: ") == std::string::npos);
}

TEST_CASE("every router is listed, and the progress of a running upgrade") {
  json status = example();
  for (const int pid : {100, 101})
    status["routers"].push_back({{"pid", pid}, {"state", "draining"}, {"table", 7}, {"slot", 1}});
  json last = {{"number", 2}, {"of", "router"}, {"state", "running"}, {"text", "router 101 starts"}};
  status["upgrades"] = {{{"number", 1}, {"of", "router"}, {"state", "done"}, {"text", "router 100 serves"}}, last};
  const std::string view = view_status(status, {.width = 200, .colour = false});
  CHECK(view.find("\nupgrade of router: router 101 starts\ngrayd 0.1.0") != std::string::npos);
  CHECK(view.find("router pid 100 draining") != std::string::npos);
  CHECK(view.find("router pid 101 draining,") != std::string::npos);
  last["of"] = "reload";
  status["upgrades"] = json::array({last});
  CHECK(view_status(status, {}).find("\nreload: router 101 starts\n") != std::string::npos);
  last["state"] = "done";
  status["upgrades"] = json::array({last});
  CHECK(view_status(status, {}).find("upgrade of") == std::string::npos);
}

TEST_CASE("the status at 80 columns") {
  CHECK("\n" + view_status(example(), {}) == R"(
SERVICE VERSION WEIGHT         STATE   UP  REQS RPS ERR%   P50   P99 VERDICT
  worker     pid state     address         by     restarts   rss   up exit
web     v1*     80% (file 95%) serving 1/2 1.2M 120    0  12ms  1.2s -
  v0     1234500 healthy   127.0.0.1:40000 notify        0 45MiB 2h2m -
  v1     1234501 unhealthy 127.0.0.1:40002 notify        1 45MiB 2h2m signal 9
web     v2      20% (file 5%)  failed  0/1 1.2M 3.2   12 0.4ms 348ms worse
  cause: not ready within 60s: the last lines it said were "Error: listen
  EADDRINUSE: address already in use"
  verdict: worse: 5 of 40 users failed, with stable 2 of 900
  v2     1234502 backoff   127.0.0.1:40001 notify        2 45MiB 2h2m exited 1
grayd 0.1.0, pid 98, up 1d1h; router pid 99 serving, table 7
)");
}

TEST_CASE("the status at 120 columns") {
  CHECK("\n" + view_status(example(), {.width = 120, .colour = false}) == R"(
SERVICE  VERSION  WEIGHT          STATE    UP   REQS  ERRS  BUSY  SOCKS  QUEUE  RPS  ERR%    P50    P99  VERDICT
  worker      pid  state      address          by      restarts    rss    up  exit
web      v1*      80% (file 95%)  serving  1/2  1.2M     3    12     24  0/256  120     0   12ms   1.2s  -
  v0      1234500  healthy    127.0.0.1:40000  notify         0  45MiB  2h2m  -
  v1      1234501  unhealthy  127.0.0.1:40002  notify         1  45MiB  2h2m  signal 9
web      v2       20% (file 5%)   failed   0/1  1.2M     3    12     24  0/256  3.2    12  0.4ms  348ms  worse
  cause: not ready within 60s: the last lines it said were "Error: listen EADDRINUSE: address already in use"
  verdict: worse: 5 of 40 users failed, with stable 2 of 900
  v2      1234502  backoff    127.0.0.1:40001  notify         2  45MiB  2h2m  exited 1
grayd 0.1.0, pid 98, up 1d1h; router pid 99 serving, table 7
)");
}

TEST_CASE("long names and addresses still fit") {
  json status = example();
  json& web = status["services"][0];
  web["name"] = "a-service-with-a-very-long-name";
  web["versions"][0]["name"] = "2024-06-01-release-candidate";
  web["versions"][0]["workers"][0]["address"] = "/run/grayd/workers/web-2024-06-01-release-candidate-0.sock";
  web["versions"][0]["workers"][0]["id"] = "web@2024-06-01-release-candidate#0";
  for (std::size_t width : {80, 100, 120, 200})
    CHECK(widest(view_status(status, {.width = width, .colour = false})) <= width);
}

TEST_CASE("differences between the file and the running state are shown") {
  json status = example();
  json& web = status["services"][0];
  web["configured_stable"] = "v2";
  web["versions"][0]["instances"] = 3;
  std::string view = view_status(status, {.width = 120});
  CHECK(view.find("v1* (file: not stable)") != std::string::npos);
  CHECK(view.find("v2 (file: stable)") != std::string::npos);
  CHECK(view.find(" 1/3 ") != std::string::npos);
  CHECK(view.find("changed on disk") == std::string::npos);
  status["config_changed"] = true;
  status["config_file"] = "/srv/grayd.toml";
  view = view_status(status, {.width = 80});
  CHECK(view.find("\n/srv/grayd.toml changed on disk since it was loaded: grayctl reload\ngrayd 0.1.0") !=
        std::string::npos);
  web["configured_stable"] = "v1";
  CHECK(view_status(status, {}).find("(file: ") == std::string::npos);
}

TEST_CASE("warnings are shown, with the version that they are about") {
  json status = example();
  status["warnings"] = {{{"cause", "a"}, {"service", "web"}, {"version", "v1"}, {"text", "a backlog of 5"}},
                        {{"cause", "b"}, {"service", ""}, {"version", ""}, {"text", "a peer"}}};
  CHECK(view_status(status, {}).find("\nwarning (web v1): a backlog of 5\nwarning: a peer\ngrayd 0.1.0") !=
        std::string::npos);
}

TEST_CASE("colours only when asked for") {
  CHECK(view_status(example(), {}).find('\x1b') == std::string::npos);
  std::string painted = view_status(example(), {.width = 80, .colour = true});
  CHECK(painted.find("\x1b[32mserving\x1b[0m") != std::string::npos);
  CHECK(painted.find("\x1b[31mfailed\x1b[0m") != std::string::npos);
  CHECK(painted.find("\x1b[33m20% (file 5%)\x1b[0m") != std::string::npos);
  CHECK(painted.find("\x1b[31mworse\x1b[0m") != std::string::npos);
  CHECK(painted.find("\x1b[31mverdict: worse: 5 of 40") != std::string::npos);
}

TEST_CASE("only errors of the last minute are red") {
  const Terminal wide{.width = 200, .colour = true};
  json status = example();
  CHECK(view_status(status, wide).find("\x1b[31m12\x1b[0m") != std::string::npos);
  status["services"][0]["versions"][1]["last_minute"]["error_ratio"] = 0;
  CHECK(view_status(status, wide).find("\x1b[31m12\x1b[0m") == std::string::npos);
  CHECK(view_status(status, wide).find("\x1b[31m3\x1b[0m") == std::string::npos);  // errors since the start
}

TEST_CASE("a version without requests in the last minute has no ratio and no times") {
  json status = example();
  json& v1 = status["services"][0]["versions"][0];
  v1["last_minute"] = {{"requests_per_second", 0}, {"error_ratio", 0}, {"p50_ms", 0}, {"p99_ms", 0}};
  v1["verdict"] = "insufficient";
  v1["verdict_text"] = "needs 120 more requests";
  const std::string view = view_status(status, {});
  CHECK(view.find(" 1.2M   0    -     -     - unclear\n") != std::string::npos);
  CHECK(view.find("\n  verdict: insufficient: needs 120 more requests\n") != std::string::npos);
}

TEST_CASE("the state of a version is a line, and a change of it is another one") {
  json status = example();
  CHECK(states_of_versions(status) == std::map<std::string, std::string>{{"web v1", "80%, serving, stable"},
                                                                         {"web v2", "20%, failed, verdict worse"}});
  status["services"][0]["versions"][0]["requests"] = 5;
  status["services"][0]["versions"][1]["state"] =
      "a\x1b"
      "b";
  CHECK(states_of_versions(status)["web v1"] == "80%, serving, stable");
  CHECK(states_of_versions(status)["web v2"] == "20%, a b, verdict worse");
}

TEST_CASE("counts, sizes and times are short") {
  auto shows = [](const char* field, json value, const char* text) {
    json status = example();
    json& v1 = status["services"][0]["versions"][0];
    (v1.contains(field) ? v1 : v1["workers"][0])[field] = value;
    CAPTURE(field);
    CAPTURE(text);
    CHECK(view_status(status, {.width = 200, .colour = false}).find(std::string(" ") + text) != std::string::npos);
  };
  auto of_minute = [](const char* field, double value) {
    json minute = {{"requests_per_second", 1000}, {"error_ratio", 0.5}, {"p50_ms", 77}, {"p99_ms", 88}};
    minute[field] = value;
    return minute;
  };
  shows("last_minute", of_minute("requests_per_second", 0.003), "<.01 ");
  shows("last_minute", of_minute("requests_per_second", 0.25), "0.25 ");
  shows("last_minute", of_minute("requests_per_second", 0.997), "1.0 ");
  shows("last_minute", of_minute("requests_per_second", 9.96), "10 ");
  shows("last_minute", of_minute("requests_per_second", 123'456), "123k ");
  shows("last_minute", of_minute("error_ratio", 0.0004), "0.04 ");
  shows("last_minute", of_minute("error_ratio", 1), "100 ");
  shows("last_minute", of_minute("p50_ms", 9.96), "10ms ");
  shows("last_minute", of_minute("p50_ms", 999.6), "1.0s ");
  shows("last_minute", of_minute("p50_ms", 9'960), "10s ");
  shows("requests", 99'999, "99999 ");
  shows("requests", 100'000, "100k ");
  shows("requests", 12'345'678, "12.3M ");
  shows("requests", 5e15, "5000T ");
  shows("rss_bytes", 512, "512B ");
  shows("rss_bytes", 1536, "1.5KiB ");
  shows("rss_bytes", 3'000'000'000, "2.8GiB ");
  shows("uptime_s", 59, "59s ");
  shows("uptime_s", 3599, "59m59s ");
  shows("uptime_s", 86'400, "1d0h ");
  shows("weight", 12.5, "12.5% (file 95%) ");
  shows("weight", 95, "95% ");
}

TEST_CASE("a status with missing fields or wrong types is shown as far as possible") {
  CHECK(view_status(json::object(), {}) ==
        "SERVICE  VERSION  WEIGHT  STATE  UP  REQS  RPS  ERR%  P50  P99  VERDICT\ngrayd -, pid -, up 0s\n");
  json odd = {{"services", {{{"name", 5}, {"versions", {{{"name", nullptr}, {"queue", 3}, {"workers", "none"}}}}}, 7}}};
  CHECK(view_status(odd, {}).find("5        -") != std::string::npos);
}

TEST_CASE("deployed and former versions have a line, and no marks about the file") {
  json status = example();
  json& web = status["services"][0];
  json& v1 = web["versions"][0];
  json& v2 = web["versions"][1];
  web["configured_stable"] = "v1";
  web["stable"] = "v2";
  web["undo_to"] = "v1";
  v2["deployed"] = true;
  v1["former"] = {{"since", "2026-11-30T10:00:00.123Z"}, {"warm_until", "2026-11-30T10:15:00.123Z"}};
  std::string view = view_status(status, {.width = 200, .colour = false});
  CHECK(view.find("file") == std::string::npos);
  CHECK(view.find("\n  was stable, runs until 10:15:00 UTC; grayctl undo goes back to it\n") != std::string::npos);
  v1["former"]["warm_until"] = nullptr;
  web["undo_to"] = nullptr;
  view = view_status(status, {.width = 80, .colour = false});
  CHECK(view.find("\n  was stable\n") != std::string::npos);
  CHECK(widest(view) <= 80);
  v1["removing"] = true;
  CHECK(view_status(status, {}).find("\n  is being removed\n") != std::string::npos);
}

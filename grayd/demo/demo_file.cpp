#include "grayd/demo/demo_file.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/base/demo_place.hpp"
#include "grayd/demo/demo_plan.hpp"

namespace gray::demo {
namespace {

/// A string of JSON is one of TOML, too.
std::string quoted(const std::string& text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string version_table(const std::string& name, const std::string& program) {
  return fmt::format(R"(
[service.{}.version.{}]
command     = [{}, "demo-worker"]
instances   = 2
ready       = ["pipe"]
health      = {{ path = "/healthz" }}
min_healthy = "1s"
stop        = {{ signal = "TERM", timeout = "2s" }}
)",
                     kService, name, quoted(program));
}

}  // namespace

std::string demo_file(std::uint16_t port, const std::string& program) {
  std::string text =
      fmt::format(R"(# Written by grayd demo, and removed at its end.
state_dir  = "state"
access_log = "off"

[listen]
http  = ["127.0.0.1:{}"]
admin = "{}"

[router]
threads = 1

[service.{}]
stable   = "{}"
param    = "version"                 # ?version=v2 names a version
identity = ["cookie:uid"]            # who the user is: each stays on their version
expose   = "version"                 # X-Gray-Version in every answer

[service.{}.limits]
max_sockets     = 16
request_timeout = "10s"

[service.{}.rollout]
steps   = [{}]                       # percent of the users
hold    = "{}ms"                     # at each step, and until the judge passes it
latency = "{}ms"                     # an answer that takes longer is slow
)",
                  port, kSocket, kService, kOld, kService, kService, kSteps, kHold.count(), kLatency.count());
  return text + version_table(kOld, program) + version_table(kNew, program);
}

}  // namespace gray::demo

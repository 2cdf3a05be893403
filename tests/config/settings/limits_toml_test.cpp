#include "config/settings/limits_toml.hpp"

#include "tests/config/settings/toml_text.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("limits that are left out have their defaults") { CHECK(loaded(kSmallest).services[0].limits == Limits{}); }

TEST_CASE("every limit is read") {
  const Limits limits = loaded(kSmallest + R"([service.web.limits]
max_sockets = 1
tunnels = 65535
queue = 0
queue_timeout = "0"
connect_timeout = "3s"
request_timeout = "4s"
head_timeout = "5s"
idle_timeout = "6s"
upstream_idle = "7s"
tunnel_idle = "8s"
head = "1KiB"
fields = 7
body = "0"
min_rate = "2KiB"
)")
                            .services[0]
                            .limits;
  CHECK(limits.max_sockets == 1);
  CHECK(limits.queue == 0);
  CHECK_FALSE(limits.queue_grows);
  CHECK(limits.queue_timeout == Duration{0});
  CHECK(limits.connect_timeout == Duration{3'000});
  CHECK(limits.request_timeout == Duration{4'000});
  CHECK(limits.head_timeout == Duration{5'000});
  CHECK(limits.idle_timeout == Duration{6'000});
  CHECK(limits.upstream_idle == Duration{7'000});
  CHECK(limits.tunnels == 65'535);
  CHECK(limits.tunnel_idle == Duration{8'000});
  CHECK(limits.head == 1'024);
  CHECK(limits.fields == 7);
  CHECK(limits.body == 0);
  CHECK(limits.min_rate == 2'048);
}

TEST_CASE("a limit out of its range is refused") {
  const std::pair<const char*, const char*> rows[] = {
      {"max_sockets = 0", "0 is out of range: max_sockets must be 1 to 65535"},
      {"max_sockets = 65536", "1 to 65535"},
      {"queue = 65536", "0 to 65535"},
      {"fields = 0", "1 to 1000"},
      {"head = '1B'", "1KiB to 1MiB"},
      {"connect_timeout = '0'", "\"0\" is too short: connect_timeout must be at least 1ms"},
      {"connect_timeout = '3 s'", "\"3 s\" is not a duration"},
      {"connect_timeout = 3", "a duration needs a unit, such as \"3s\""},
      {"connect_timeout = []", "expected a duration such as \"10s\", found a list"},
      {"queue_timeout = '0'", "0 is too short for a queue of 256"},
      {"tunnels = 65536", "0 to 65535"},
      {"tunnel_idle = '0'", "tunnel_idle must be at least 1ms"},
      {"min_rate = 5", "a size needs a unit, such as \"5KiB\""},
      {"max_socket = 5", "did you mean \"max_sockets\"?"},
  };
  for (const auto& [line, expected] : rows) {
    const ConfigErrors errors = refused(kSmallest + "[service.web.limits]\n" + line + "\n");
    CHECK_MESSAGE(contains(errors.text, expected), line, " gives ", errors.text);
    CHECK(errors.count == 1);
  }
}

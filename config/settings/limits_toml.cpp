#include "config/settings/limits_toml.hpp"

namespace gray {
namespace {

constexpr std::uint32_t kMostCount = 65'535;  // the largest count of a limit word
constexpr std::uint64_t kKiB = 1ull << 10;
constexpr std::uint64_t kMiB = 1ull << 20;
constexpr std::uint64_t kMostBytes = 1ull << 50;

}  // namespace

Limits read_limits(TomlReader& service) {
  Limits limits;
  TomlReader table(service, "limits");
  table.number("max_sockets", limits.max_sockets, 1, kMostCount);
  table.number("tunnels", limits.tunnels, 0, kMostCount);
  table.number("queue", limits.queue, 0, kMostCount);
  limits.queue_grows = !table.has("queue");
  table.duration("queue_timeout", limits.queue_timeout, Duration{0});
  table.duration("connect_timeout", limits.connect_timeout);
  table.duration("request_timeout", limits.request_timeout);
  table.duration("head_timeout", limits.head_timeout);
  table.duration("idle_timeout", limits.idle_timeout);
  table.duration("upstream_idle", limits.upstream_idle);
  table.duration("tunnel_idle", limits.tunnel_idle);
  table.size("head", limits.head, kKiB, kMiB);
  table.number("fields", limits.fields, 1, 1'000);
  table.size("body", limits.body, 0, kMostBytes);
  table.size("min_rate", limits.min_rate, 0, kMostBytes);
  if (limits.queue > 0 && limits.queue_timeout == Duration{0})
    table.error("queue_timeout", "0 is too short for a queue of " + std::to_string(limits.queue) +
                                     ": give a longer time, or set queue = 0");
  return limits;
}

}  // namespace gray

#include "config/shared/limits_json.hpp"

#include "config/base/json_fields.hpp"

namespace gray {
namespace {

// Both directions walk this one list, so a field cannot be written and forgotten on reading.
template <class LimitsType, class Visit>
void each_field(LimitsType& limits, Visit visit) {
  visit("max_sockets", limits.max_sockets);
  visit("tunnels", limits.tunnels);
  visit("queue", limits.queue);
  visit("queue_timeout", limits.queue_timeout);
  visit("connect_timeout", limits.connect_timeout);
  visit("request_timeout", limits.request_timeout);
  visit("head_timeout", limits.head_timeout);
  visit("idle_timeout", limits.idle_timeout);
  visit("upstream_idle", limits.upstream_idle);
  visit("tunnel_idle", limits.tunnel_idle);
  visit("head", limits.head);
  visit("fields", limits.fields);
  visit("body", limits.body);
  visit("min_rate", limits.min_rate);
}

struct Writer {
  nlohmann::json& to;
  void operator()(const char* name, Duration value) const { to[name] = static_cast<std::uint64_t>(value.count()); }
  void operator()(const char* name, std::uint64_t value) const { to[name] = value; }
};

struct Reader {
  const nlohmann::json& from;
  void operator()(const char* name, Duration& value) const { value = json_milliseconds(from, name); }
  template <class Number>
  void operator()(const char* name, Number& value) const {
    value = json_number<Number>(from, name);
  }
};

}  // namespace

nlohmann::json limits_to_json(const Limits& limits) {
  nlohmann::json to = nlohmann::json::object();
  each_field(limits, Writer{to});
  return to;
}

Limits limits_from_json(const nlohmann::json& from) {
  Limits limits;
  each_field(limits, Reader{from});
  return limits;
}

}  // namespace gray

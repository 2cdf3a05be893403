// Each type carries its own fields and nothing else; one list of them serves writing and reading.
#include <utility>

#include "config/base/json_fields.hpp"
#include "config/shared/channel.hpp"

namespace gray {
namespace {

using nlohmann::json;
using Type = ChannelMessage::Type;

constexpr std::pair<Type, const char*> kTypes[] = {
    {Type::hello, "hello"},   {Type::table, "table"},     {Type::listen, "listen"},   {Type::probe, "probe"},
    {Type::reopen, "reopen"}, {Type::drain, "drain"},     {Type::applied, "applied"}, {Type::ready, "ready"},
    {Type::probed, "probed"}, {Type::drained, "drained"}, {Type::proving, "proving"},
};

json to_json(const RouterSettings& router) {
  return {{"threads", router.threads},
          {"trusted_proxies", json_texts(router.trusted_proxies)},
          {"max_connections", router.max_connections},
          {"max_connections_per_client", router.max_connections_per_client},
          {"max_requests_per_connection", router.max_requests_per_connection}};
}

RouterSettings router_from(const json& from) {
  return {.threads = json_number<std::uint32_t>(from, "threads"),
          .trusted_proxies = json_list(from, "trusted_proxies", json_parsed<Cidr>),
          .max_connections = json_number<std::uint32_t>(from, "max_connections"),
          .max_connections_per_client = json_number<std::uint32_t>(from, "max_connections_per_client"),
          .max_requests_per_connection = json_number<std::uint32_t>(from, "max_requests_per_connection")};
}

struct Writer {
  json& to;
  void operator()(const char* name, const RouterSettings& value) const { to[name] = to_json(value); }
  void operator()(const char* name, const Address& value) const { to[name] = value.text(); }
  void operator()(const char* name, Duration value) const { to[name] = static_cast<std::uint64_t>(value.count()); }
  template <class Value>
  void operator()(const char* name, const Value& value) const {
    to[name] = value;
  }
};

struct Reader {
  const json& from;
  void operator()(const char* name, RouterSettings& value) const { value = router_from(json_field(from, name)); }
  void operator()(const char* name, Address& value) const { value = json_parsed<Address>(json_field(from, name)); }
  void operator()(const char* name, Duration& value) const { value = json_milliseconds(from, name); }
  void operator()(const char* name, std::string& value) const { value = json_text(from, name); }
  void operator()(const char* name, bool& value) const { value = json_flag(from, name); }
  template <class Number>
  void operator()(const char* name, Number& value) const {
    value = json_number<Number>(from, name);
  }
};

template <class Message, class Visit>
void each_field(Message& message, Visit visit) {
  switch (message.type) {
    case Type::hello:
      visit("protocol", message.protocol);
      visit("layout", message.layout);
      visit("slot", message.slot);
      visit("router", message.router);
      visit("memory_budget", message.memory_budget);
      visit("prove", message.prove);
      return;
    case Type::probe:
      visit("number", message.number);
      visit("address", message.address);
      visit("path", message.path);
      visit("cell", message.cell);
      visit("timeout", message.timeout);
      return;
    case Type::probed:
      visit("number", message.number);
      visit("ok", message.ok);
      visit("detail", message.detail);
      return;
    case Type::proving: visit("detail", message.detail); return;
    case Type::table:
    case Type::applied: visit("number", message.number); return;
    case Type::drain:
      visit("timeout", message.timeout);
      visit("ok", message.ok);
      return;
    case Type::listen:
    case Type::reopen:
    case Type::ready:
    case Type::drained: return;
  }
}

Type type_of(const std::string& wanted) {
  for (const auto& [type, name] : kTypes)
    if (wanted == name) return type;
  throw JsonMismatch("\"" + wanted + "\" is no type of message");
}

}  // namespace

std::string to_json_text(const ChannelMessage& message) {
  json to = json::object();
  for (const auto& [type, name] : kTypes)
    if (type == message.type) to["type"] = name;
  each_field(message, Writer{to});
  return json_dump(to);
}

std::optional<ChannelMessage> channel_message_from_json(std::string_view text, std::string& error) {
  try {
    const json from = json::parse(text);
    ChannelMessage message;
    message.type = type_of(json_text(from, "type"));
    each_field(message, Reader{from});
    return message;
  } catch (const std::exception& problem) {
    error = std::string("not a message: ") + problem.what();
    return std::nullopt;
  }
}

}  // namespace gray

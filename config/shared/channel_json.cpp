// Each type of message has its own fields and no others; one list of them is used for writing, reading and the
// hand-over.
#include "config/base/archive.hpp"
#include "config/shared/channel.hpp"

namespace gray {

using Type = ChannelMessage::Type;

const char* name_of(Type type) {
  constexpr const char* kNames[] = {"hello",    "table",           "listen",    "probe",   "reopen",  "drain",
                                    "applied",  "ready",           "unreached", "probed",  "drained", "unused",
                                    "stranger", "untrusted_proxy", "weigh",     "weighed", "secrets", "client_fault"};
  return kNames[static_cast<std::size_t>(type)];
}

template <class Io>
void ChannelMessage::fields(Io& io) {
  io("type", type);
  switch (type) {
    case Type::hello:
      io("protocol", protocol);
      io("layout", layout);
      io("router_slot", router_slot);
      io("router", router);
      io("memory_budget", memory_budget);
      io("warm_up", warm_up);
      return;
    case Type::probe:
      io("orders", orders);
      io.check("orders", orders.size() <= kMostProbes, "a number of probes");
      return;
    case Type::probed:
      io("outcomes", outcomes);
      io.check("outcomes", outcomes.size() <= kMostProbes, "a number of probes");
      return;
    case Type::stranger:
      io("number", number);
      io("cell", cell);
      io("peer", peer);
      return;
    case Type::unreached:
    case Type::client_fault:
    case Type::untrusted_proxy: io("detail", detail); return;
    case Type::table:
      io("number", number);
      io("list_count", list_count);
      io.check("list_count", list_count <= kMaxAllowlists, "a number of allowlists");
      return;
    case Type::applied:
    case Type::weigh: io("number", number); return;
    case Type::weighed:
      io("number", number);
      io("memory", memory);
      return;
    case Type::drain:
      io("timeout", timeout);
      io("ok", ok);
      return;
    case Type::listen:
    case Type::secrets:
    case Type::reopen:
    case Type::ready:
    case Type::drained:
    case Type::unused: return;
  }
}

template <class Io>
void ChannelMessage::archive(Io& io) {
  fields(io);
  io("fd", fd);
  io("lists", lists);
}
template void ChannelMessage::archive(Save&);
template void ChannelMessage::archive(Load&);

std::vector<ChannelMessage> ChannelMessage::variants() {
  std::vector<ChannelMessage> all(static_cast<std::size_t>(last_value(Type{})) + 1);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].type = static_cast<Type>(i);
  return all;
}

std::string to_json_text(const ChannelMessage& message) {
  Save save;
  const_cast<ChannelMessage&>(message).fields(save);
  return json_dump(save.take());
}

std::optional<ChannelMessage> channel_message_from_json(std::string_view text, std::string& error) {
  try {
    const auto json = nlohmann::json::parse(text);
    if (!json.is_object()) throw JsonMismatch("it is not a JSON object");
    ChannelMessage message;
    Load load(json);
    message.fields(load);
    load.check_unknown("it");
    return message;
  } catch (const std::exception& problem) {
    error = std::string("not a message: ") + problem.what();
    return std::nullopt;
  }
}

}  // namespace gray

#include <doctest/doctest.h>

#include "config/base/archive.hpp"
#include "config/shared/channel.hpp"
#include "config/shared/routing_table.hpp"
#include "tests/config/base/recorded_shape.hpp"

using namespace gray;
using Type = ChannelMessage::Type;

TEST_CASE("a message carries the fields of its type and no others") {
  ChannelMessage drain;
  drain.type = Type::drain;
  drain.timeout = Duration{1'500};
  drain.number = 7;
  CHECK(to_json_text(drain) == R"({"ok":false,"timeout":1500,"type":"drain"})");
  std::string error;
  const auto back = channel_message_from_json(to_json_text(drain), error);
  REQUIRE_MESSAGE(back, error);
  CHECK(back->timeout == drain.timeout);
  CHECK(back->number == 0);
}

TEST_CASE("the largest settings that a configuration may have fit into a message, and a table of them into 16 MiB") {
  const Cidr longest = *Cidr::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
  ChannelMessage hello;
  hello.router.trusted_proxies.assign(10'000, longest);
  CHECK(to_json_text(hello).size() < kChannelMessage);
  RoutingTable table;
  for (int i = 0; i < 10; ++i) {
    ServiceRoute route;
    route.override_from.assign(10'000, longest);
    table.services.push_back(route);
  }
  table.services.front().paths.assign(512, "/" + std::string(4'095, '"'));
  CHECK(to_json_text(table).size() < 12 << 20);  // 4 MiB are left for workers
}

TEST_CASE("text that is not a message is refused with the reason") {
  std::string error;
  for (const char* text :
       {"", "[]", "{}", "{\"type\":\"nope\"}", "{\"type\":\"hello\"}", "{\"type\":\"table\",\"number\":-1}",
        "{\"type\":\"drain\",\"timeout\":99999999999999}", "{\"type\":\"probed\",\"outcomes\":[{\"id\":1}]}"}) {
    error.clear();
    CHECK_MESSAGE(!channel_message_from_json(text, error), text);
    CHECK(error.starts_with("not a message: "));
  }
}

TEST_CASE("bytes of a worker that are not UTF-8 do not prevent a message") {
  ChannelMessage probed;
  probed.type = Type::probed;
  probed.outcomes = {{1, false, "status \xff", {}}};
  std::string error;
  CHECK(channel_message_from_json(to_json_text(probed), error));
}

TEST_CASE("a message has at most kMostProbes orders or outcomes") {
  std::string error;
  for (const std::size_t count : {kMostProbes, kMostProbes + 1}) {
    ChannelMessage probe, probed;
    probe.type = Type::probe;
    probe.orders.resize(count);
    for (ProbeOrder& order : probe.orders) order.address = *Address::parse("127.0.0.1:1");
    probed.type = Type::probed;
    probed.outcomes.resize(count);
    CHECK(channel_message_from_json(to_json_text(probe), error).has_value() == (count <= kMostProbes));
    CHECK(channel_message_from_json(to_json_text(probed), error).has_value() == (count <= kMostProbes));
  }
}

// A running router is not replaced together with the master, so the number covers every field of messages and tables.
TEST_CASE("messages and tables have the fields that the protocol number stands for") {
  constexpr RecordedShape kRecorded{17, 0x0dd460eae44f9325};
  ChannelMessage message;
  RoutingTable table;
  const nlohmann::json shape = {Save::shape_of(message), Save::shape_of(table)};
  check_shape(shape, kChannelProtocol, kRecorded, "kChannelProtocol in config/shared/channel.hpp");
}

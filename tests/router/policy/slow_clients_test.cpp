#include "router/policy/slow_clients.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray;
using policy::SlowClients;

namespace {

TimePoint at_s(int seconds) { return TimePoint{std::chrono::seconds(1'000 + seconds)}; }
Address client(int number) {
  return Address::parse("10." + std::to_string(number >> 16) + "." + std::to_string(number >> 8 & 255) + "." +
                        std::to_string(number & 255) + ":80")
      .value();
}

}  // namespace

TEST_CASE("a client that was cut is slow for half a minute after its last cut, on every port") {
  SlowClients clients;
  CHECK_FALSE(clients.contains(client(1), at_s(0)));
  clients.add(client(1), at_s(0));
  CHECK(clients.contains(client(1), at_s(29)));
  CHECK(clients.contains(Address::parse("10.0.0.1:9").value(), at_s(29)));
  CHECK_FALSE(clients.contains(client(2), at_s(1)));
  CHECK_FALSE(clients.contains(client(1), at_s(30)));
  clients.add(client(1), at_s(40));
  CHECK(clients.contains(client(1), at_s(69)));
  CHECK_FALSE(clients.contains(client(1), at_s(70)));
}

TEST_CASE("a client is logged at most once a minute, with the number of its cuts since") {
  SlowClients clients;
  CHECK(clients.add(client(1), at_s(0)) == 1);
  CHECK(clients.add(client(1), at_s(1)) == 0);
  CHECK(clients.add(client(2), at_s(1)) == 1);
  CHECK(clients.add(client(1), at_s(59)) == 0);
  CHECK(clients.add(client(1), at_s(60)) == 3);
  CHECK(clients.add(client(1), at_s(61)) == 0);
}

TEST_CASE("unix peers are logged likewise, and never slow") {
  SlowClients clients;
  const Address peer = Address::parse("unix:/run/x").value();
  CHECK(clients.add(peer, at_s(0)) == 1);
  CHECK(clients.add(peer, at_s(1)) == 0);
  CHECK_FALSE(clients.contains(peer, at_s(1)));
}

TEST_CASE("the table does not grow: of too many clients the latest are known") {
  SlowClients clients;
  constexpr int kMany = 100'000;
  for (int i = 0; i < kMany; ++i) CHECK(clients.add(client(i), at_s(0) + std::chrono::microseconds(i)) == 1);
  CHECK(clients.contains(client(kMany - 1), at_s(1)));
  int known = 0;
  for (int i = 0; i < kMany; ++i) known += clients.contains(client(i), at_s(1)) ? 1 : 0;
  CHECK(known == static_cast<int>(SlowClients::kSets * SlowClients::kWays));
}

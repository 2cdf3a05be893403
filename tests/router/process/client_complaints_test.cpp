#include "router/process/client_complaints.hpp"

#include <doctest/doctest.h>

using namespace gray;
using proxy::ClientComplaints;

namespace {

TimePoint after(Duration time) { return TimePoint{} + Duration{100'000} + time; }
Address client(int number) {
  return *Address::parse("10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250) + ":1");
}

}  // namespace

TEST_CASE("a client is named once a minute, with the reason") {
  ClientComplaints complaints;
  CHECK(complaints.line(client(1), "a fault", after(Duration{0})) == "client 10.0.0.1: a fault");
  CHECK(complaints.line(client(1), "a fault", after(Duration{59'999})).empty());
  CHECK_FALSE(complaints.line(client(2), "a fault", after(Duration{1})).empty());
  CHECK_FALSE(complaints.line(client(1), "a fault", after(ClientComplaints::kInterval)).empty());
}

TEST_CASE("the number of clients is bounded") {
  ClientComplaints complaints;
  std::size_t lines = 0;
  for (int i = 0; i < 1'000; ++i)
    if (!complaints.line(client(i), "a fault", after(Duration{i})).empty()) ++lines;
  CHECK(lines == ClientComplaints::kMostClients);
}

#include "router/process/handshake_complaints.hpp"

#include <doctest/doctest.h>

using namespace gray;
using proxy::HandshakeComplaints;

namespace {

TimePoint after(Duration time) { return TimePoint{} + Duration{100'000} + time; }
Address client(int number) {
  return *Address::parse("10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250) + ":1");
}

}  // namespace

TEST_CASE("a client is named once a minute, with the reason") {
  HandshakeComplaints complaints;
  const auto failure = tls::HandshakeFailure::plain_http;
  CHECK(complaints.line(client(1), failure, after(Duration{0})) ==
        "client 10.0.0.1: TLS handshake failed (plain-http): the client speaks HTTP without TLS: use https://");
  CHECK(complaints.line(client(1), failure, after(Duration{59'999})).empty());
  CHECK_FALSE(complaints.line(client(2), failure, after(Duration{1})).empty());
  CHECK_FALSE(complaints.line(client(1), failure, after(HandshakeComplaints::kInterval)).empty());
}

TEST_CASE("the number of clients is bounded") {
  HandshakeComplaints complaints;
  std::size_t lines = 0;
  for (int i = 0; i < 1'000; ++i)
    if (!complaints.line(client(i), tls::HandshakeFailure::not_tls, after(Duration{i})).empty()) ++lines;
  CHECK(lines == HandshakeComplaints::kMostClients);
}

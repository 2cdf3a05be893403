#include "config/shared/handshake_failure.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace gray::tls;

TEST_CASE("every failure has a name of its own and a sentence") {
  std::set<std::string> names;
  for (int i = 1; i < static_cast<int>(HandshakeFailure::count); ++i) {
    const auto failure = static_cast<HandshakeFailure>(i);
    CHECK(names.insert(name_of(failure)).second);
    CHECK_FALSE(std::string(explain(failure)).empty());
  }
  CHECK(std::string(name_of(HandshakeFailure::plain_http)) == "plain-http");
}

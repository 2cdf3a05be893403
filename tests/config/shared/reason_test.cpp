#include <doctest/doctest.h>

#include <string>

#include "config/shared/segment.hpp"

using namespace gray::segment;

TEST_CASE("every reason has the status of the contract") {
  CHECK(status_of(Reason::bad_request) == 400);
  CHECK(status_of(Reason::expectation_failed) == 417);
  CHECK(status_of(Reason::head_too_large) == 431);
  CHECK(status_of(Reason::version_unsupported) == 505);
  CHECK(status_of(Reason::upstream_invalid) == 502);
  CHECK(status_of(Reason::response_timeout) == 504);
  for (auto i = static_cast<int>(Reason::version_down); i <= static_cast<int>(Reason::maintenance); ++i)
    CHECK(status_of(static_cast<Reason>(i)) == 503);
  CHECK(status_of(Reason::client_gone) == 499);
  CHECK(status_of(Reason::tunnel_idle) == 499);
}

TEST_CASE("reasons that users need not distinguish share a name") {
  CHECK(name_of(Reason::none) == std::string());
  CHECK(name_of(Reason::expectation_failed) == std::string("bad-request"));
  CHECK(name_of(Reason::target_too_long) == std::string("too-large"));
  CHECK(name_of(Reason::version_unsupported) == std::string("unsupported"));
  CHECK(name_of(Reason::client_gone) == std::string("client-gone"));
}

TEST_CASE("decisions have the names of the contract") {
  CHECK(name_of(Decision::none) == std::string());
  CHECK(name_of(Decision::param) == std::string("param"));
  CHECK(name_of(Decision::fallback) == std::string("fallback"));
}

#include <doctest/doctest.h>

#include "router/wire/forwarding.hpp"

using namespace gray::http;

TEST_CASE("Every status that the router answers with has a phrase") {
  for (const int status : {400, 404, 408, 413, 414, 417, 431, 501, 502, 503, 504, 505}) {
    CAPTURE(status);
    CHECK(reason_phrase(status) != "Unknown");
  }
  CHECK(reason_phrase(503) == "Service Unavailable");
  CHECK(reason_phrase(299) == "Unknown");
}

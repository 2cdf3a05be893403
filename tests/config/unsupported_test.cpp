#include "config/unsupported.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("a row refuses its own table, key and value only") {
  CHECK(find_unsupported("version", "ready", "notify") != nullptr);
  CHECK(find_unsupported("version", "ready", "fd:3") != nullptr);
  CHECK(find_unsupported("version", "ready", "pipe") == nullptr);
  CHECK(find_unsupported("version", "user", "www") != nullptr);
  CHECK(find_unsupported("env", "user", "www") == nullptr);
  CHECK(find_unsupported("service", "ready", "notify") == nullptr);
}

TEST_CASE("every row says what to do instead") {
  for (const Unsupported& row : kUnsupported) CHECK(!row.remedy.empty());
}

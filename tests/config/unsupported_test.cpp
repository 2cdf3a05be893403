#include "config/unsupported.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("a row refuses its own table, key and value only") {
  CHECK(find_unsupported("version", "memory", "1GiB") != nullptr);
  CHECK(find_unsupported("version", "ready", "notify") == nullptr);
  CHECK(find_unsupported("env", "memory", "1GiB") == nullptr);
  CHECK(find_unsupported("memory", "budget", "1GiB") == nullptr);
}

TEST_CASE("every row says what to do instead") {
  for (const Unsupported& row : kUnsupported) CHECK(!row.remedy.empty());
}

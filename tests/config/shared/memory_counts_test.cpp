#include "config/shared/memory_counts.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace gray::segment;

TEST_CASE("every kind of leak has its own name") {
  std::set<std::string> names;
  for (std::size_t kind = 0; kind < kLeakKinds; ++kind) names.insert(name_of(static_cast<LeakKind>(kind)));
  CHECK(names.size() == kLeakKinds);
  CHECK(names.count("") == 0);
}

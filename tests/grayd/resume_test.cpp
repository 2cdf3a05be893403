#include "grayd/resume.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

// The exec itself, and every way back, is in tests/integration: upgrade_test.py and faults/replacement_test.py.

using namespace gray::master;

TEST_CASE("without a state there is nothing to continue") {
  bool read = false;
  CHECK_THROWS_AS(run_resumed({"a.toml", -1, -1, {}}, [&] { read = true; }), std::runtime_error);
  CHECK_FALSE(read);
}

#include "grayd/resume.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

// The exec itself, and every fallback, is tested in tests/integration: upgrade_test.py and faults/replacement_test.py.

using namespace gray::master;

TEST_CASE("resuming without a state is an error") {
  bool read = false;
  CHECK_THROWS_AS(run_resumed({"a.toml", -1, -1, {}}, [&] { read = true; }), std::runtime_error);
  CHECK_FALSE(read);
}

// The worker under grayd is tested by tests/integration/grayd_demo_test.py.
#include "grayd/demo/demo_worker.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "config/base/demo_place.hpp"
#include "tests/grayd/process/in_child.hpp"

using namespace gray;

TEST_CASE("each word of a break is a fault, and any other text is none") {
  CHECK(demo::fault_of("errors") == demo::Fault::error);
  CHECK(demo::fault_of("slow") == demo::Fault::late);
  CHECK(demo::fault_of("crash") == demo::Fault::crash);
  CHECK(demo::fault_of("") == demo::Fault::none);
  CHECK(demo::fault_of("half") == demo::Fault::none);
  for (const auto how : demo::kBreaks) CHECK(demo::fault_of(std::string(how)) != demo::Fault::none);
}

TEST_CASE("a worker that grayd has not started ends at once") {
  CHECK(test::in_child([] {
          for (const char* name : {"PORT", "HOST", "GRAY_VERSION"}) ::unsetenv(name);
          return demo::run_worker();
        }) == 2);
}

#include "config/settings/leak_detection.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("every level has a name that is read back") {
  for (const auto level : {LeakDetection::off, LeakDetection::simple, LeakDetection::advanced, LeakDetection::paranoid})
    CHECK(leak_detection_from(name_of(level)) == level);
  for (const char* other : {"", "Off", "on", "simple "}) CHECK_FALSE(leak_detection_from(other));
}

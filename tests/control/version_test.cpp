#include "control/version.hpp"

#include <doctest/doctest.h>

#include "tests/control/fixture.hpp"

TEST_CASE("the printed version is the version of the project") {
  std::string build = gray::control::read_file(std::string(GRAY_SOURCE_DIR) + "/CMakeLists.txt");
  CHECK(gray::control::contains(build, std::string("project(grayd VERSION ") + gray::control::kVersion + " "));
}

// The whole is tested by tests/integration/grayd_demo_test.py.
#include "grayd/demo/demo.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("the introduction has the address, and commands that can be copied") {
  const std::string text = demo::introduction(8000, "", "grayctl --socket /tmp/d/s");
  CHECK(text.starts_with("http://127.0.0.1:8000/ is a small service in two versions"));
  for (const char* words : {"top", "demo break v2", "rollout status web"})
    CHECK(text.find("\n  grayctl --socket /tmp/d/s " + std::string(words) + " ") != std::string::npos);
  CHECK(demo::introduction(9, "port 8000: Address already in use", "grayctl")
            .starts_with("port 8000: Address already in use; this demo has port 9\n"));
}

#include "control/report/exposition.hpp"

#include <doctest/doctest.h>

using namespace gray::control;

TEST_CASE("backslash, quote and newline are escaped in label values") {
  CHECK(label_value("plain é") == "plain é");
  CHECK(label_value("a\\b\"c\nd") == "a\\\\b\\\"c\\nd");
  CHECK(version_labels("we\"b", "v1") == "service=\"we\\\"b\",version=\"v1\"");
}

TEST_CASE("a family is announced with its help and its type") {
  std::string out = "before\n";
  announce(out, "grayd_x", "gauge", "What it is.");
  CHECK(out == "before\n# HELP grayd_x What it is.\n# TYPE grayd_x gauge\n");
}

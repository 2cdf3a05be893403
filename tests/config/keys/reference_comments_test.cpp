#include "config/keys/reference_comments.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("a comment belongs to the keys or the table below it") {
  const auto found = reference_comments(
      "# About the file.\n\n# First.\na = 1\nb = 2\n\n# Of the table,\n# two lines.\n[service.web]\n# Inner.\nc = 3\n\n"
      "d = 4\n[service.web.version.v1.stop]\n# Of a signal.\nsignal = 'TERM'\n# Of a time.\ntimeout = '1s'\n"
      "[[service.web.rule]]\n# Of a rule.\nname = 'x'\n");
  CHECK(found.at("a") == "First.");
  CHECK(found.at("b") == "First.");
  CHECK(found.at("service.*") == "Of the table, two lines.");
  CHECK(found.at("service.*.c") == "Inner.");
  CHECK_FALSE(found.contains("service.*.d"));
  CHECK(found.at("service.*.version.*.stop.signal") == "Of a signal.");
  CHECK(found.at("service.*.version.*.stop.timeout") == "Of a time.");
  CHECK(found.at("service.*.rule.name") == "Of a rule.");
}

TEST_CASE("the reference is in the program") {
  const auto found = reference_comments(kReferenceText);
  CHECK(found.at("service.*.limits.fields").starts_with("Header fields in a head"));
  CHECK(found.at("state_dir").ends_with("[restart]"));
}

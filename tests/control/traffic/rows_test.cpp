#include "control/traffic/rows.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace gray;
using control::Rows;

TEST_CASE("a version has one row for as long as it is used") {
  auto segment = segment::Segment::create();
  Rows rows(segment);
  const auto first = rows.take("web", "v1");
  REQUIRE(first);
  CHECK(rows.take("web", "v1") == first);
  CHECK(rows.find("web", "v1") == first);
  CHECK(rows.take("web", "v2") != first);
  CHECK_FALSE(rows.find("api", "v1"));
}

TEST_CASE("a row that was given back is used again before one that was never used") {
  auto segment = segment::Segment::create();
  Rows rows(segment);
  rows.take("web", "v1");
  const auto second = rows.take("web", "v2");
  rows.keep([](const std::string&, const std::string& version) { return version == "v1"; });
  CHECK(rows.take("web", "v3") == second);
}

TEST_CASE("there are no more versions than rows in the segment, and a returned row is cleared") {
  auto segment = segment::Segment::create();
  Rows rows(segment);
  std::set<std::uint32_t> given;
  for (std::uint32_t i = 0; i < segment::kVersions; ++i) given.insert(*rows.take("web", std::to_string(i)));
  CHECK(given.size() == segment::kVersions);
  CHECK_FALSE(rows.take("web", "one too many"));

  const auto row = *rows.find("web", "3");
  segment::writable_row(*segment, 0, 0, row).requests = 17;
  rows.keep([](const std::string&, const std::string& version) { return version != "3"; });
  CHECK_FALSE(rows.find("web", "3"));
  CHECK(rows.take("web", "new") == row);
  CHECK(segment::writable_row(*segment, 0, 0, row).requests == 0);
}

TEST_CASE("a row is not reused while a request of its old version is in flight") {
  auto segment = segment::Segment::create();
  Rows rows(segment);
  for (std::uint32_t i = 0; i < segment::kVersions; ++i) rows.take("web", std::to_string(i));
  const auto row = *rows.find("web", "3");
  segment::writable_row(*segment, 1, 2, row).in_flight = 1;
  rows.keep([](const std::string&, const std::string& version) { return version != "3"; });
  CHECK_FALSE(rows.take("web", "new"));
  segment::writable_row(*segment, 1, 2, row).in_flight = 0;
  CHECK(rows.take("web", "new") == row);
}

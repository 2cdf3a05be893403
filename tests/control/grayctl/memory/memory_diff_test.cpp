#include "control/grayctl/memory/memory_diff.hpp"

#include <doctest/doctest.h>

using namespace gray::control;
using nlohmann::json;

namespace {

json share(const char* owner, const json& version, int count, int bytes) {
  return {{"owner", owner}, {"service", "web"}, {"version", version}, {"count", count}, {"bytes", bytes}};
}

}  // namespace

TEST_CASE("owners are compared by their name and version; those that came or went count too") {
  json later = {{"rss_bytes", 100},
                {"accounted_bytes", 90},
                {"kernel_bytes", 5},
                {"owners", {share("queue", "v1", 3, 30), share("queue", "v2", 1, 10)}},
                {"leaks", {{{"site", "a.cpp:1"}, {"held_by", "x"}, {"count", 2}, {"bytes", 20}}}}};
  const json earlier = {{"rss_bytes", 150},
                        {"accounted_bytes", 80},
                        {"kernel_bytes", 5},
                        {"owners", {share("queue", "v1", 1, 10), share("tunnels", "v1", 4, 40)}},
                        {"leaks", json::array()}};
  add_changes(later, earlier, 7);
  CHECK(later.at("seconds") == 7);
  CHECK(later.at("rss_change_bytes") == -50);
  CHECK(later.at("accounted_change_bytes") == 10);
  CHECK(later.at("kernel_change_bytes") == 0);
  const json& owners = later.at("owners");
  REQUIRE(owners.size() == 3);
  CHECK(owners[0].at("count_change") == 2);
  CHECK(owners[0].at("bytes_change") == 20);
  CHECK(owners[1].at("bytes_change") == 10);
  CHECK(owners[2].at("owner") == "tunnels");
  CHECK(owners[2].at("bytes") == 0);
  CHECK(owners[2].at("bytes_change") == -40);
  CHECK(later.at("leaks")[0].at("count_change") == 2);
}

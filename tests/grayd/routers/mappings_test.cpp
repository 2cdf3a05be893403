#include "grayd/routers/mappings.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

#include "config/base/sanitized.hpp"

using namespace gray::master;

TEST_CASE("mappings are read with their names and resident bytes") {
  const auto all = parse_smaps(
      "55be5f346000-55be5f348000 r--p 00000000 fe:00 247498                     /usr/bin/head\n"
      "Size:                  8 kB\nRss:                   8 kB\nPss:                   4 kB\n"
      "VmFlags: rd mr mw me\n"
      "7f97e84f2000-7f97e84fc000 rw-s 00000000 00:01 1024                       /memfd:grayd-segment (deleted)\n"
      "Rss:                 123 kB\n"
      "7ffe00000000-7ffe00001000 rw-p 00000000 00:00 0 \nRss:                   0 kB\n"
      "nonsense\nRss: much\n");
  REQUIRE(all.size() == 3);
  CHECK(all[0].name == "/usr/bin/head");
  CHECK(all[0].resident == 8 << 10);
  CHECK(all[0].is_file());
  CHECK(all[0].contains(0x55be5f346000));
  CHECK_FALSE(all[0].contains(0x55be5f348000));
  CHECK(all[1].is_memfd("grayd-segment"));
  CHECK(all[1].is_memfd(""));
  CHECK_FALSE(all[1].is_file());
  CHECK(all[1].resident == 123 << 10);
  CHECK(all[2].name.empty());
  CHECK(parse_smaps("").empty());
  CHECK(parse_smaps("Rss: 4 kB\n").empty());
}

TEST_CASE("the mappings of this process are read, and of one that is gone none") {
  const int local = 0;
  const auto all = mappings_of(::getpid());
  const auto stack = std::ranges::find_if(
      all, [&](const Mapping& one) { return one.contains(reinterpret_cast<std::uintptr_t>(&local)); });
  if constexpr (!gray::kSanitized) {
    REQUIRE(stack != all.end());
    CHECK(stack->resident > 0);
  }
  CHECK(mappings_of(-1).empty());
}

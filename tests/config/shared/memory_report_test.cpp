#include "config/shared/memory_report.hpp"

#include <doctest/doctest.h>

#include <set>

#include "config/base/archive.hpp"

using namespace gray;

TEST_CASE("every owner and every reason to wait has a name of its own") {
  std::set<std::string> names, texts;
  for (std::size_t owner = 0; owner < static_cast<std::size_t>(MemoryOwner::count); ++owner)
    names.insert(name_of(static_cast<MemoryOwner>(owner)));
  CHECK(names.size() == static_cast<std::size_t>(MemoryOwner::count));
  for (std::size_t reason = 0; reason <= static_cast<std::size_t>(last_value(WaitsFor{})); ++reason)
    texts.insert(text_of(static_cast<WaitsFor>(reason), "v2"));
  CHECK(texts.size() == static_cast<std::size_t>(last_value(WaitsFor{})) + 1);
  CHECK(texts.count("a socket of v2") == 1);
  CHECK(text_of(WaitsFor::socket, "") == "a socket of its version");
  CHECK_FALSE(in_process(MemoryOwner::kernel_sockets));
  CHECK(in_process(MemoryOwner::queue));
}

TEST_CASE("a report with more than its bounds is refused by its reader") {
  MemoryReport good;
  good.largest.resize(kLargestHolders);
  good.shares = {{.owner = MemoryOwner::queue, .row = 3, .count = 1, .bytes = 2, .high_water = 4}};
  good.leaks = {{"a.cpp:1", 2, 3, "client 9"}};
  const auto text = archived_text(good);
  const auto read = unarchived<MemoryReport>(text);
  CHECK(archived_text(read) == text);
  MemoryReport many = good;
  many.largest.resize(kLargestHolders + 1);
  CHECK_THROWS(unarchived<MemoryReport>(archived_text(many)));
  many = good;
  many.leaks.resize(kLeakSites + 1);
  CHECK_THROWS(unarchived<MemoryReport>(archived_text(many)));
  many = good;
  many.shares.resize(kMemoryShares + 1);
  CHECK_THROWS(unarchived<MemoryReport>(archived_text(many)));
}

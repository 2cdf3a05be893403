#pragma once
// What a thread of a Rig holds, for tests.
#include <algorithm>
#include <future>
#include <memory>
#include <optional>

#include "tests/router/process/rig.hpp"

namespace gray::test {

inline MemoryReport weigh(Rig& rig) {
  auto promise = std::make_shared<std::promise<MemoryReport>>();
  rig.on([&](proxy::Shard& shard) {
    shard.weigh([promise](const proxy::MemoryScan::Result& result) {
      MemoryReport report;
      result.tally.report(report);
      promise->set_value(std::move(report));
    });
  });
  return promise->get_future().get();
}

inline MemoryShare share(const MemoryReport& report, MemoryOwner owner, std::optional<std::uint32_t> row = {}) {
  for (const MemoryShare& one : report.shares)
    if (one.owner == owner && one.row == row) return one;
  return {};
}

/// The first holder of that owner.
inline MemoryHolder holder(const MemoryReport& report, MemoryOwner owner) {
  for (const MemoryHolder& one : report.largest)
    if (one.owner == owner) return one;
  FAIL("no such holder");
  return {};
}

}  // namespace gray::test

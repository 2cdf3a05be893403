#include "grayd/routers/router_memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace gray;
using namespace gray::master;

namespace {

std::uint64_t held(const RouterMemory& memory, MemoryOwner owner) {
  const auto found = std::ranges::find(memory.report.shares, owner, &MemoryShare::owner);
  return found == memory.report.shares.end() ? 0 : found->bytes;
}

}  // namespace

TEST_CASE("the mappings of a router are code, stacks, segment, allowlists, and the free part of its heap") {
  RouterMemory memory;
  memory.report.stacks = {0x7000'1800};
  memory.report.heap_used = 60'000;
  const std::vector<Mapping> mappings = {{0x1000, 0x2000, 4'096, "/opt/grayd"},
                                         {0x3000, 0x9000, 80'000, "[heap]"},
                                         {0x7000'0000, 0x7000'2000, 8'192, ""},
                                         {0x8000'0000, 0x8100'0000, 20'000, "/memfd:grayd-segment (deleted)"},
                                         {0x8200'0000, 0x8300'0000, 3'000, "/memfd:grayd-allowlist (deleted)"},
                                         {0x9000'0000, 0x9000'1000, 1'000, ""},
                                         {0xa000'0000, 0xa000'1000, 2'000, "[stack]"}};
  complete(memory, mappings, 1);
  CHECK(memory.rss == 118'288);
  CHECK(held(memory, MemoryOwner::code) == 4'096);
  CHECK(held(memory, MemoryOwner::stacks) == 10'192);
  CHECK(held(memory, MemoryOwner::segment) == 20'000);
  CHECK(held(memory, MemoryOwner::allowlists) == 3'000);
  CHECK(held(memory, MemoryOwner::free_heap) == 21'000);  // of 81,000 resident ones
}

TEST_CASE("allocated memory that is not resident is not free") {
  RouterMemory memory;
  memory.report.heap_used = 1 << 20;
  complete(memory, {{0x3000, 0x9000, 80'000, "[heap]"}}, 1);
  CHECK(held(memory, MemoryOwner::free_heap) == 0);
}

TEST_CASE("without the right to read the mappings the size of the process is what its files say") {
  RouterMemory memory;
  memory.report.heap_used = 1'000;
  memory.report.heap_free = 500;
  complete(memory, {}, 10'000);
  CHECK(memory.rss == 10'000);
  CHECK(held(memory, MemoryOwner::code) == 8'500);
  CHECK(held(memory, MemoryOwner::free_heap) == 500);
}

TEST_CASE("an allocator that does not count gives no free heap") {
  RouterMemory memory;
  complete(memory, {{0x3000, 0x9000, 80'000, "[heap]"}}, 1);
  CHECK(held(memory, MemoryOwner::free_heap) == 0);
}

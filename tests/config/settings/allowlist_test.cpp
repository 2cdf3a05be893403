#include "config/settings/allowlist.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

using namespace gray;

namespace {

std::vector<std::uint64_t> slots_of(const Allowlist& list) {
  std::vector<std::uint64_t> slots((list.bytes() - sizeof(AllowlistHead)) / sizeof(std::uint64_t));
  const auto bytes = static_cast<ssize_t>(slots.size() * sizeof(std::uint64_t));
  REQUIRE(::pread(list.fd(), slots.data(), static_cast<std::size_t>(bytes), sizeof(AllowlistHead)) == bytes);
  return slots;
}

/// A memfd that claims to be a table.
UniqueFd forged(const AllowlistHead& head, std::size_t bytes, bool sealed = true) {
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0);
  if (bytes >= sizeof head) REQUIRE(::pwrite(fd.get(), &head, sizeof head, 0) == sizeof head);
  if (sealed) REQUIRE(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  return fd;
}

std::string refusal_of(const AllowlistHead& head, std::size_t bytes, bool sealed = true) {
  std::string error;
  const auto fd = forged(head, bytes, sealed);
  return Allowlist::head_of(fd.get(), error).slots == 0 ? error : "accepted";
}

}  // namespace

TEST_CASE("a table has each hash once, and at least half of its slots are empty") {
  const Allowlist list({7, 7, 9, 7 + 8, 1});
  CHECK(list.count() == 4);
  CHECK(list.digest() == 7 + 9 + 15 + 1);
  auto slots = slots_of(list);
  CHECK(slots.size() == 16);
  CHECK(std::count_if(slots.begin(), slots.end(), [](auto slot) { return slot != 0; }) == 4);
  for (const std::uint64_t hash : {7, 9, 15, 1}) CHECK(std::count(slots.begin(), slots.end(), hash) == 1);
}

TEST_CASE("hashes of one slot follow each other, also over the end") {
  const Allowlist list({3, 7, 11, 15});  // of 8 slots: 3, then 7, then the next ones
  const auto slots = slots_of(list);
  REQUIRE(slots.size() == 8);
  CHECK(slots[3] == 3);
  CHECK(slots[4] == 11);
  CHECK(slots[7] == 7);
  CHECK(slots[0] == 15);
}

TEST_CASE("no hash is 0, which is an empty slot") {
  CHECK(allowlist_hash("") != 0);
  CHECK(allowlist_hash("77") == allowlist_hash(std::string("7") + "7"));
  CHECK(allowlist_hash("77") != allowlist_hash("78"));
}

TEST_CASE("a table is sealed, and another image reads it") {
  const Allowlist list({5, 6});
  CHECK(::write(list.fd(), "x", 1) < 0);
  const Allowlist again(UniqueFd(::dup(list.fd())));
  CHECK(again.count() == 2);
  CHECK(again.digest() == 11);
  CHECK(again.bytes() == list.bytes());
}

TEST_CASE("anything else is refused") {
  constexpr std::size_t kHead = sizeof(AllowlistHead);
  const AllowlistHead good{.count = 1, .slots = 2, .digest = 5};
  CHECK(refusal_of(good, kHead + 16) == "accepted");
  CHECK(refusal_of(good, kHead + 16, false) == "an allowlist is not a sealed memfd");
  CHECK(refusal_of(good, kHead + 8) == "an allowlist has a wrong size");
  CHECK(refusal_of(good, kHead + 24) == "an allowlist has a wrong size");
  CHECK(refusal_of(good, 8) == "an allowlist does not begin as one");
  CHECK(refusal_of({.magic = 1, .slots = 2}, kHead + 16) == "an allowlist does not begin as one");
  CHECK(refusal_of({.slots = 3}, kHead + 24) == "an allowlist has a wrong size");
  CHECK(refusal_of({.slots = 0}, kHead) == "an allowlist has a wrong size");
  CHECK(refusal_of({.slots = std::uint64_t{1} << 63}, kHead) == "an allowlist has a wrong size");
  CHECK(refusal_of({.count = 2, .slots = 2}, kHead + 16) == "an allowlist has a wrong size");
  CHECK_THROWS_AS(Allowlist(forged({.magic = 1}, kHead)), std::runtime_error);
  CHECK_THROWS_AS(Allowlist(UniqueFd(::open("/dev/null", O_RDONLY))), std::runtime_error);
}

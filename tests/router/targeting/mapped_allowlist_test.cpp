#include "router/targeting/mapped_allowlist.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

using namespace gray;
using namespace gray::targeting;

TEST_CASE("a mapped list has its users and no others, and outlives its descriptor") {
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 5'000; ++i) hashes.push_back(allowlist_hash("user" + std::to_string(i)));
  for (const Pages pages : {Pages::at_once, Pages::as_needed}) {
    std::shared_ptr<const AllowlistTable> table;
    {
      const Allowlist list(hashes);
      std::string error;
      const AllowlistHead head = Allowlist::head_of(list.fd(), error);
      REQUIRE(head.slots > 0);
      table = map_allowlist(list.fd(), head.slots, pages);
    }
    REQUIRE(table);
    for (int i = 0; i < 5'000; ++i) REQUIRE(table->contains("user" + std::to_string(i)));
    CHECK_FALSE(table->contains("user5000"));
    CHECK_FALSE(table->contains(""));
  }
}

TEST_CASE("what cannot be mapped gives nothing, and errno") {
  errno = 0;
  CHECK(map_allowlist(-1, 64, Pages::at_once) == nullptr);
  CHECK(errno == EBADF);
}

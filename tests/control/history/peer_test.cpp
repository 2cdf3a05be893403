#include "control/history/peer.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

TEST_CASE("a caller of the admin socket is a process and a user; any other actor is neither") {
  CHECK(peer_in("pid 4711, uid 1000") == Peer{4711, 1000});
  CHECK(peer_in("pid 1, uid 0 (forwarded)") == Peer{1, 0});
  for (const char* other : {"", "grayd", "signal SIGHUP", "pid 4711", "pid x, uid 0", "pid 1, uid ", "pid 1, uid -"})
    CHECK_FALSE(peer_in(other));
}

TEST_CASE("a user without a name has an empty one") {
  CHECK(user_name(0) == "root");
  CHECK(user_name(4'000'123'456).empty());
}

}  // namespace
}  // namespace gray::control

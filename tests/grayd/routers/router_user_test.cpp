#include "grayd/routers/router_user.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <stdexcept>

#include "supervisor/process/credentials.hpp"

using namespace gray;
using namespace gray::master;

TEST_CASE("as root the router has an unprivileged user by default, or the one that is named") {
  if (::geteuid() != 0) {
    CHECK_FALSE(router_user(""));
    return;
  }
  const auto usual = supervisor::find_user(supervisor::find_user("grayd") ? "grayd" : "nobody");
  REQUIRE(usual);
  CHECK(router_user("") == UserIds{usual->uid, usual->gid});
  CHECK(router_user("root") == UserIds{0, 0});
  CHECK_THROWS_WITH_AS(router_user("no-such-user-here"), "there is no user \"no-such-user-here\" on this host",
                       std::runtime_error);
}

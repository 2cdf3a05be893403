#include "grayd/socket_owner.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "grayd/listeners.hpp"

using namespace gray;
using namespace gray::master;

namespace {

constexpr const char* kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F90 0200007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0\n"
    "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0\n"
    "   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0\n";

}  // namespace

TEST_CASE("the listening socket of a port is found, a connected one is not") {
  CHECK(listening_inode(kTable, 8080) == 222u);
  CHECK(listening_inode(kTable, 80) == 333u);
  CHECK_FALSE(listening_inode(kTable, 81));
  CHECK_FALSE(listening_inode("", 80));
  CHECK_FALSE(listening_inode("garbage\n1: 2\n", 80));
}

TEST_CASE("a port that this process listens on is known as its own") {
  Listeners listeners({*Address::parse("127.0.0.1:0")});
  CHECK(owner_of_port(listeners.addresses()[0].port).empty());
  listeners.listen();
  const auto owner = owner_of_port(listeners.addresses()[0].port);
  CHECK(owner.starts_with("pid " + std::to_string(::getpid()) + " "));
}

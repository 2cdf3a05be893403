#include "grayd/init/open_ports.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "config/base/unique_fd.hpp"

using namespace gray::init;

TEST_CASE("rows that listen are read, with their extent") {
  const std::string head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
  const std::string rest = " 00000000:00000000 00:00000000 00000000     0        0 ";
  const std::string table = head + "   0: 0100007F:1F40 00000000:0000 0A" + rest + "101 1\n" +
                            "   1: 00000000:0050 00000000:0000 0A" + rest + "102 1\n" +
                            "   2: 0100007F:1F40 0100007F:9999 01" + rest + "103 1\n" + "   3: bad\n";
  const auto rows = listening_rows(table, false);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == OpenPort{8000, false, false, 101});
  CHECK(rows[1] == OpenPort{80, true, false, 102});
  const auto six = listening_rows(
      "   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A" + rest + "7 1\n" +
          "   1: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A" + rest + "8 1\n",
      true);
  REQUIRE(six.size() == 2);
  CHECK(six[0] == OpenPort{8000, true, true, 7});
  CHECK_FALSE(six[1].everywhere);
}

TEST_CASE("the ports of a process are found by its sockets") {
  const gray::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const auto ports = ports_of_session(::getpid());
  CHECK(std::ranges::count(ports, ntohs(address.sin_port), &OpenPort::port) == 1);
  CHECK(ports_of_session(0).empty());
}

#include "supervisor/kernel/tcp_table.hpp"

#include <doctest/doctest.h>

using namespace gray::supervisor;

namespace {

const std::string kRest = " 00000000:00000000 00:00000000 00000000     0        0 ";
const std::string kNobody = "00000000000000000000000000000000";

}  // namespace

TEST_CASE("a row has its port, its extent, whether it listens, and its socket") {
  CHECK(tcp_row("   0: 0100007F:1F40 00000000:0000 0A" + kRest + "101 1") == TcpRow{8000, false, true, 101});
  CHECK(tcp_row("   1: 00000000:0050 00000000:0000 0A" + kRest + "102 1") == TcpRow{80, true, true, 102});
  CHECK(tcp_row("   2: 0100007F:1F40 0100007F:9999 01" + kRest + "103 1") == TcpRow{8000, false, false, 103});
  CHECK(tcp_row("   0: " + kNobody + ":1F40 " + kNobody + ":0000 0A" + kRest + "7") == TcpRow{8000, true, true, 7});
  CHECK_FALSE(tcp_row("   1: 00000000000000000000000001000000:1F41 " + kNobody + ":0000 0A" + kRest + "8")->everywhere);
}

TEST_CASE("a head line and a malformed row are none") {
  CHECK_FALSE(tcp_row("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"));
  CHECK_FALSE(tcp_row("   3: bad"));
  CHECK_FALSE(tcp_row("   0: 0100007F:1F40 00000000:0000 0A"));
  CHECK_FALSE(tcp_row("   0: 0100007F:11F40 00000000:0000 0A" + kRest + "101 1"));
  CHECK_FALSE(tcp_row(""));
}

#include "supervisor/kernel/tcp_table.hpp"

#include <cstdio>
#include <string_view>

namespace gray::supervisor {
namespace {

constexpr unsigned kListen = 0x0A;

}  // namespace

// sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
std::optional<TcpRow> tcp_row(const std::string& line) {
  char address[33] = {};
  unsigned port = 0, state = 0;
  unsigned long long inode = 0;
  const int fields =
      std::sscanf(line.c_str(), " %*d: %32[0-9A-F]:%X %*[0-9A-F]:%*X %X %*X:%*X %*X:%*X %*X %*u %*d %llu", address,
                  &port, &state, &inode);
  if (fields != 4 || port > UINT16_MAX) return std::nullopt;
  const bool everywhere = std::string_view(address).find_first_not_of('0') == std::string_view::npos;
  return TcpRow{static_cast<std::uint16_t>(port), everywhere, state == kListen, inode};
}

}  // namespace gray::supervisor

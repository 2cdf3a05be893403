#pragma once
// Who listens on a port: what a refused bind(2) does not tell. As far as /proc lets us look; a guess for people only.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gray::master {

/// "pid 4711 nginx"; empty when /proc does not tell (another user's process, another network namespace).
std::string owner_of_port(std::uint16_t port);

/// The inode of the socket that listens on `port`, from the text of /proc/net/tcp or tcp6. Pure.
std::optional<std::uint64_t> listening_inode(std::string_view table, std::uint16_t port);

}  // namespace gray::master

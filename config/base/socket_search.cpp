#include "config/base/socket_search.hpp"

#include <unistd.h>

#include <cstdlib>

namespace gray {
namespace {

constexpr const char* kHere = "run/grayd.sock";
constexpr const char* kSystem = "/run/grayd/grayd.sock";

std::string named() {
  const char* const socket = std::getenv("GRAYCTL_SOCKET");
  return socket != nullptr ? socket : "";
}

}  // namespace

std::string usual_socket(const std::vector<std::string>& demos) {
  if (std::string socket = named(); !socket.empty()) return socket;
  if (::access(kHere, F_OK) == 0) return kHere;
  if (::access(kSystem, F_OK) == 0) return kSystem;
  const std::string found = demo::living_socket(demos);
  return found.empty() ? kSystem : found;
}

std::string demo_socket(const std::vector<std::string>& demos) {
  if (std::string socket = named(); !socket.empty()) return socket;
  const std::string found = demo::living_socket(demos);
  return found.empty() ? usual_socket(demos) : found;
}

}  // namespace gray

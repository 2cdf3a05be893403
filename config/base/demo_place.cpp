#include "config/base/demo_place.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "config/base/unique_fd.hpp"

namespace gray::demo {
namespace {

constexpr std::size_t kLongestRuntime = 60;  // bytes: the path of a socket has at most 107

bool answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

bool is_break(std::string_view word) { return std::ranges::find(kBreaks, word) != kBreaks.end(); }

std::string break_file(std::string_view version) { return fmt::format("broken-{}", version); }

std::string_view break_text(std::string_view how) {
  if (how == "slow") return "answers every request 0.7 s late";
  return how == "crash" ? "exits at every request" : "answers every request with 500";
}

std::vector<std::string> places(const std::string& runtime) {
  std::vector<std::string> found;
  if (runtime.starts_with('/') && runtime.size() <= kLongestRuntime) found.push_back(runtime + "/grayd-demo");
  found.push_back(fmt::format("/tmp/grayd-demo-{}", ::geteuid()));
  return found;
}

std::vector<std::string> own_places() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  return places(runtime != nullptr && is_private(runtime) ? runtime : "");
}

bool is_private(const std::string& folder) {
  struct stat facts{};
  return ::lstat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == ::geteuid() &&
         (facts.st_mode & 077) == 0;
}

std::string living_socket(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders)
    if (const std::string path = folder + "/" + kSocket; is_private(folder) && answers(path)) return path;
  return {};
}

}  // namespace gray::demo

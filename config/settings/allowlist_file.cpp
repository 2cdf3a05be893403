#include "config/settings/allowlist_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "config/base/unique_fd.hpp"
#include "config/base/units.hpp"
#include "config/settings/allowlist.hpp"
#include "config/settings/targeting.hpp"

namespace gray {
namespace {

constexpr std::size_t kLineRoom = 64 * 1024;  // bytes that are read at once, and of the longest line

/// The ids of a file that is read piece by piece.
class IdLines {
 public:
  explicit IdLines(std::vector<std::uint64_t>& hashes) : hashes_(hashes) {}

  /// The error in this line; empty: none.
  std::string add(std::string_view line) {
    ++line_;
    const std::string_view id = bare_id(line);
    if (id.empty() || id.front() == '#') return {};
    if (id.size() > kMaxId)
      return "line " + std::to_string(line_) + ": the id has " + std::to_string(id.size()) + " bytes: at most " +
             std::to_string(kMaxId) + " are allowed";
    if (hashes_.size() >= kMaxAllowlist)
      return "line " + std::to_string(line_) + ": more than " + std::to_string(kMaxAllowlist) +
             " ids: remove some, or use a rule";
    hashes_.push_back(allowlist_hash(id));
    return {};
  }
  /// All complete lines of `text`; it keeps the rest. `ended`: the rest is the last line.
  std::string add_all(std::string& text, bool ended) {
    std::string_view rest = text;
    for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1))
      if (std::string error = add(rest.substr(0, end)); !error.empty()) return error;
    if (rest.size() > kLineRoom)
      return "line " + std::to_string(line_ + 1) + " is longer than " + format_size(kLineRoom) +
             ": an id has at most " + std::to_string(kMaxId) + " bytes";
    if (ended) return rest.empty() ? std::string() : add(rest);
    text.erase(0, text.size() - rest.size());
    return {};
  }

 private:
  std::vector<std::uint64_t>& hashes_;
  std::size_t line_ = 0;
};

std::string problem_of(int number) { return "cannot be read: " + std::generic_category().message(number); }

}  // namespace

std::string_view bare_id(std::string_view id) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = id.find_first_not_of(kBlanks);
  return first == id.npos ? std::string_view() : id.substr(first, id.find_last_not_of(kBlanks) + 1 - first);
}

std::string read_allowlist_file(const std::string& path, std::vector<std::uint64_t>& hashes, FileStamp& stamp) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a FIFO must not block grayd
  struct stat facts{};
  if (!fd || ::fstat(fd.get(), &facts) != 0) return problem_of(errno) + "; create it, or remove the key";
  stamp = FileStamp::of(facts);
  if (!S_ISREG(facts.st_mode)) return "is not a file: name a text file with one id in each line";
  std::string too_large = "is larger than " + format_size(kMaxAllowlistFile) + ": remove ids, or use a rule";
  if (static_cast<std::uint64_t>(facts.st_size) > kMaxAllowlistFile) return too_large;
  IdLines lines(hashes);
  std::string text;
  std::array<char, kLineRoom> buffer;
  for (std::size_t all = 0;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return problem_of(errno);
    all += static_cast<std::size_t>(got);
    if (all > kMaxAllowlistFile) return too_large;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (std::string error = lines.add_all(text, got == 0); !error.empty() || got == 0) return error;
  }
}

}  // namespace gray

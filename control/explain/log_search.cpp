#include "control/explain/log_search.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "config/base/unique_fd.hpp"

namespace gray::control {
namespace {

constexpr std::size_t kBlock = 1024 * 1024;
constexpr std::size_t kMostLine = 64 * 1024;  // a longer one is not of the log

/// The last occurrence.
std::size_t last_of(std::string_view text, std::string_view needle) {
  std::size_t last = std::string_view::npos;
  const char* at = text.data();
  const char* const end = at + text.size();
  while ((at = static_cast<const char*>(
              ::memmem(at, static_cast<std::size_t>(end - at), needle.data(), needle.size()))) != nullptr)
    last = static_cast<std::size_t>(at++ - text.data());
  return last;
}

std::string_view line_at(std::string_view text, std::size_t at) {
  const std::size_t before = text.rfind('\n', at), end = text.find('\n', at);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, end == std::string_view::npos ? end : end - begin);
}

std::string time_of(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  const bool has = json.is_object() && json.contains("time") && json["time"].is_string();
  return has ? json["time"].get<std::string>() : std::string();
}

/// Searches one file from its end. Each block is read together with the beginning of the line that the block behind it
/// only has the end of.
class BackwardSearch {
 public:
  BackwardSearch(int fd, std::string_view needle, LogSearch& result) : fd_(fd), needle_(needle), result_(result) {}

  void run(std::uint64_t size, const SearchBounds& bounds) {
    for (std::uint64_t end = size; end > 0;) {
      const std::uint64_t bytes = std::min<std::uint64_t>({end, kBlock, bounds.bytes - result_.searched});
      if (bytes == 0 || (bounds.over && bounds.over())) {
        result_.end = LogSearch::End::bound;
        break;
      }
      if (!read_block(end - bytes, static_cast<std::size_t>(bytes))) return;
      end -= bytes;
      result_.searched += bytes;
      if (look(end == 0)) return;
    }
    if (const std::string time = time_of(oldest_); !time.empty()) result_.oldest = time;
  }

 private:
  bool read_block(std::uint64_t from, std::size_t bytes) {
    text_.resize(bytes);
    std::size_t have = 0;
    while (have < bytes) {
      const ssize_t got = ::pread(fd_, text_.data() + have, bytes - have, static_cast<off_t>(from + have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        result_.end = LogSearch::End::failed;
        result_.error = got < 0 ? errno : EIO;
        return false;
      }
      have += static_cast<std::size_t>(got);
    }
    text_ += carried_;
    return true;
  }
  bool look(bool whole) {
    const std::size_t first_end = text_.find('\n');
    const std::size_t begin = whole || first_end == std::string::npos ? 0 : first_end + 1;
    const std::size_t found = last_of(text_, needle_);
    if (found != std::string::npos && (found >= begin || whole)) {
      result_.end = LogSearch::End::found;
      result_.line = line_at(text_, found);
      return true;
    }
    carried_ = whole ? "" : text_.substr(0, std::min(begin == 0 ? text_.size() : begin, kMostLine));
    if (begin < text_.size()) oldest_ = line_at(text_, begin);
    return false;
  }

  int fd_;
  std::string_view needle_;
  LogSearch& result_;
  std::string text_, carried_, oldest_;
};

}  // namespace

LogSearch find_request(const std::vector<std::string>& files, std::string_view request_id, const SearchBounds& bounds) {
  LogSearch result;
  const std::string needle =
      "\"request_id\":" + nlohmann::json(request_id).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
      ",";
  for (const std::string& file : files) {
    result.file = file;
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
      if (errno == ENOENT && file != files.front()) continue;
      result.error = errno;
      result.end = LogSearch::End::failed;
      return result;
    }
    if (!S_ISREG(info.st_mode)) {
      result.error = S_ISDIR(info.st_mode) ? EISDIR : ESPIPE;
      result.end = LogSearch::End::failed;
      return result;
    }
    BackwardSearch(fd.get(), needle, result).run(static_cast<std::uint64_t>(info.st_size), bounds);
    if (result.end != LogSearch::End::absent) return result;
  }
  return result;
}

}  // namespace gray::control

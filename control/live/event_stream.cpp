#include "control/live/event_stream.hpp"

#include <fmt/format.h>

namespace gray::control {
namespace {

constexpr std::string_view kData = "data:";

}  // namespace

std::string event_text(std::uint64_t id, std::string_view data) {
  return fmt::format("id: {}\ndata: {}\n\n", id, data);
}

bool EventStreamReader::read(std::string_view bytes, const std::function<void(std::string_view data)>& take) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    if (line_.size() + std::min(end, bytes.size()) > kMost) return false;
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos) return true;
    bytes.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    if (line_.empty()) {
      if (!data_.empty()) take(data_);
      data_.clear();
    } else if (line_.starts_with(kData)) {
      data_ = line_.substr(kData.size() + (line_.starts_with("data: ") ? 1 : 0));
    }
    line_.clear();
  }
  return true;
}

}  // namespace gray::control

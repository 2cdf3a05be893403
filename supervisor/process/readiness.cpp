#include "supervisor/process/readiness.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/base/printable.hpp"

namespace gray::supervisor {
namespace {

bool speaks_node_ipc(std::string_view program) {
  const std::string_view base = program.substr(program.rfind('/') + 1);
  return base == "node" || base == "nodejs" || base == "bun" || base == "deno";
}

constexpr std::string_view kJsonStarts = "{[\"-0123456789tfn";  // what a JSON value can begin with

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

std::optional<Duration> microseconds(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  constexpr std::uint64_t kMost = 86'400'000'000;  // a day: the longest extension, and it does not overflow
  return Duration{static_cast<Duration::rep>((std::min(value, kMost) + 999) / 1'000)};
}

void read_assignment(std::string_view line, Notice& notice) {
  constexpr std::string_view kStatus = "STATUS=", kExtend = "EXTEND_TIMEOUT_USEC=";
  if (line == "READY=1")
    notice.ready = true;
  else if (line.starts_with(kStatus))
    make_printable(notice.status.emplace(line.substr(kStatus.size(), Notice::kStatus)), '?');
  else if (line.starts_with(kExtend))
    notice.extend = microseconds(line.substr(kExtend.size()));
}

}  // namespace

std::string_view name(ReadyWay way) {
  constexpr std::array<std::string_view, 6> kNames = {"pipe", "notify", "ipc", "fd", "tcp", "http"};
  return kNames[static_cast<std::size_t>(way)];
}

bool PipeReader::feed(std::string_view bytes) {
  bool became = false;
  if (ready_ || broken_) return false;
  total_ += bytes.size();
  lines_.feed(bytes, [&](std::string_view text, bool cut) { became = line(text, cut) || became; });
  if (!ready_ && (total_ > kTotal || lines_.partial().size() == kLine)) broken_ = true;
  return became;
}

bool PipeReader::end() {
  bool became = false;
  if (!lines_.empty()) lines_.flush([&](std::string_view text, bool cut) { became = line(text, cut); });
  return became;
}

bool PipeReader::line(std::string_view text, bool cut) {
  if (cut || text.find('\0') != std::string_view::npos) broken_ = true;
  if (ready_ || broken_ || (text != "READY=1" && text != "READY")) return false;
  return ready_ = true;
}

Notice Notice::parse(std::string_view datagram) {
  Notice notice;
  while (!datagram.empty()) {
    const std::size_t end = std::min(datagram.find('\n'), datagram.size());
    read_assignment(datagram.substr(0, end), notice);
    datagram.remove_prefix(std::min(end + 1, datagram.size()));
  }
  return notice;
}

IpcReader::Result IpcReader::feed(std::string_view bytes) {
  Result result;
  lines_.feed(bytes, [&](std::string_view text, bool cut) { line(text, cut, result); });
  return result;
}

bool IpcReader::idle() {
  if (lines_.partial() != "ready" && lines_.partial() != "\"ready\"") return false;
  lines_.flush([](std::string_view, bool) {});
  return true;
}

// Only relevant lines are parsed, because an application may send a lot through its channel.
void IpcReader::line(std::string_view text, bool cut, Result& result) {
  const std::string_view value = trimmed(text);
  if (!cut && (value == "\"ready\"" || value == "ready")) {
    result.ready = true;
    return;
  }
  if (cut || value.empty() || kJsonStarts.find(value.front()) == std::string_view::npos) {
    ++garbage_;
    return;
  }
  if (value.find("NODE_HANDLE") == std::string_view::npos) return;
  const auto message = nlohmann::json::parse(value.begin(), value.end(), nullptr, false);
  if (message.is_discarded()) ++garbage_;
  if (!message.is_object()) return;
  const auto command = message.find("cmd");
  if (command != message.end() && command->is_string() && command->get_ref<const std::string&>() == "NODE_HANDLE")
    ++result.handles;
}

ReadyJudge::ReadyJudge(const VersionSettings& settings)
    : readiness_(settings.ready),
      health_path_(settings.health.path),
      speaks_ipc_(!settings.command.empty() && speaks_node_ipc(settings.command.front())),
      inherits_(settings.listen == ListenMode::inherited) {}

bool ReadyJudge::offers(ReadyWay way) const {
  if (!readiness_.automatic)
    return std::find(readiness_.ways.begin(), readiness_.ways.end(), way) != readiness_.ways.end();
  switch (way) {
    case ReadyWay::pipe:
    case ReadyWay::notify: return true;
    case ReadyWay::ipc: return speaks_ipc_;
    case ReadyWay::http: return !health_path_.empty();
    case ReadyWay::tcp: return health_path_.empty() && !inherits_;
    case ReadyWay::fd: break;
  }
  return false;
}

std::optional<ReadyWay> ReadyJudge::said(ReadyWay way) {
  if (!offers(way)) return std::nullopt;
  return decide(way);
}

std::optional<ReadyWay> ReadyJudge::probed(bool ok, TimePoint now) {
  if (!ok) {
    answers_ = 0;
    connected_since_.reset();
    return std::nullopt;
  }
  if (offers(ReadyWay::tcp)) {
    if (!connected_since_) connected_since_ = now;
    if (readiness_.automatic && now - *connected_since_ < kStanding) return std::nullopt;
    return decide(ReadyWay::tcp);
  }
  if (!offers(ReadyWay::http) || ++answers_ < kAnswers) return std::nullopt;
  return decide(ReadyWay::http);
}

std::optional<ReadyWay> ReadyJudge::decide(ReadyWay way) {
  if (std::exchange(decided_, true)) return std::nullopt;
  return way;
}

}  // namespace gray::supervisor

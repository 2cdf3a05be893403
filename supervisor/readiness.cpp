#include "supervisor/readiness.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

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

// Only lines that can matter are parsed: an application may send a lot through its channel.
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

bool ready_by_probe(const Readiness& readiness) {
  return readiness.automatic ||
         std::find(readiness.ways.begin(), readiness.ways.end(), ReadyWay::tcp) != readiness.ways.end();
}

ReadyJudge::ReadyJudge(const Readiness& readiness, std::string_view program)
    : readiness_(readiness), speaks_ipc_(speaks_node_ipc(program)) {}

bool ReadyJudge::offers(ReadyWay way) const {
  if (!readiness_.automatic)
    return std::find(readiness_.ways.begin(), readiness_.ways.end(), way) != readiness_.ways.end();
  return way == ReadyWay::pipe || way == ReadyWay::tcp || (way == ReadyWay::ipc && speaks_ipc_);
}

std::optional<ReadyWay> ReadyJudge::said(ReadyWay way) {
  if (!offers(way)) return std::nullopt;
  return decide(way);
}

std::optional<ReadyWay> ReadyJudge::connected(bool ok, TimePoint now) {
  if (!offers(ReadyWay::tcp)) return std::nullopt;
  if (!ok) {
    connected_since_.reset();
    return std::nullopt;
  }
  if (!connected_since_) connected_since_ = now;
  if (readiness_.automatic && now - *connected_since_ < kStanding) return std::nullopt;
  return decide(ReadyWay::tcp);
}

std::optional<ReadyWay> ReadyJudge::decide(ReadyWay way) {
  if (std::exchange(decided_, true)) return std::nullopt;
  return way;
}

}  // namespace gray::supervisor

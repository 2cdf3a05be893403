#pragma once
// How a worker says that it is ready: the grammars of the channels, and the judge that hears them all. Pure: bytes and
// answers in, verdicts out. Nothing a worker writes may crash the master, and garbage never means ready.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "config/time.hpp"
#include "supervisor/line_buffer.hpp"

namespace gray::supervisor {

/// "pipe", "ipc", "tcp" ..., as in the configuration.
std::string_view name(ReadyWay way);

/// The pipe of GRAY_READY_FD: sd_notify's grammar, one assignment a line. `READY=1` or `READY` is ready, other lines
/// mean nothing. A line above 4096 bytes, a NUL, or 64 KiB without READY: the rest is ignored.
class PipeReader {
 public:
  static constexpr std::size_t kLine = 4096;
  static constexpr std::size_t kTotal = 64 * 1024;

  /// True once, when it becomes ready.
  bool feed(std::string_view bytes);
  /// End of file: a last line needs no newline.
  bool end();
  bool broken() const { return broken_; }

 private:
  bool line(std::string_view text, bool cut);

  LineBuffer lines_{kLine};
  std::size_t total_ = 0;
  bool ready_ = false;
  bool broken_ = false;
};

/// Node's IPC channel in the mode `json` (lib/internal/child_process.js): one JSON value a line. Ready is the string
/// "ready", and also the bare word that a shell script writes, with or without a newline.
class IpcReader {
 public:
  static constexpr std::size_t kLine = 1 << 20;
  /// What the worker waits for after it sent a handle; until then it keeps back everything else.
  static constexpr std::string_view kRefuseHandle = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

  struct Result {
    bool ready = false;
    unsigned handles = 0;  // each is to be answered with kRefuseHandle
  };
  Result feed(std::string_view bytes);
  /// Nothing more to read for now, or end of file.
  bool idle();
  /// Lines that cannot be JSON, or are too long.
  std::uint64_t garbage() const { return garbage_; }

 private:
  void line(std::string_view text, bool cut, Result& result);

  LineBuffer lines_{kLine};
  std::uint64_t garbage_ = 0;
};

/// Whether a probe may make it ready: a deadline for that must not pass while nobody can probe.
bool ready_by_probe(const Readiness& readiness);

/// Decides when one process is ready, and by which way.
class ReadyJudge {
 public:
  /// A connect proves that somebody listens, not that the program is ready; a message that comes within this time wins.
  static constexpr Duration kStanding{1'000};

  /// `program` is command[0]: the automatic choice offers IPC only to what speaks it.
  ReadyJudge(const Readiness& readiness, std::string_view program);

  bool offers(ReadyWay way) const;
  /// The way by which it has become ready, once.
  std::optional<ReadyWay> said(ReadyWay way);
  std::optional<ReadyWay> connected(bool ok, TimePoint now);

 private:
  std::optional<ReadyWay> decide(ReadyWay way);

  Readiness readiness_;
  bool speaks_ipc_;
  bool decided_ = false;
  std::optional<TimePoint> connected_since_;
};

}  // namespace gray::supervisor

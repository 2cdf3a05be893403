#pragma once
// How a worker reports that it is ready: the grammars of the channels, and the judge that combines them. Pure: bytes
// and answers in, verdicts out. Invariants: no input from a worker crashes the master, and invalid input never means
// ready.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/time.hpp"
#include "config/settings/settings.hpp"
#include "supervisor/process/line_buffer.hpp"

namespace gray::supervisor {

/// "pipe", "ipc", "tcp" ..., as in the configuration; "fd" without its number.
std::string_view name(ReadyWay way);

// The writers of the pipe, of `fd:N` and of the IPC channel need no check: these descriptors have no name, so only the
// worker and the processes that it gives them to have them. NOTIFY_SOCKET has a path: see notify_socket.hpp.

/// The pipe of GRAY_READY_FD: sd_notify's grammar, one assignment a line. `READY=1` or `READY` is ready, other lines
/// are ignored. After a line above 4096 bytes, a NUL, or 64 KiB without READY, all further input is ignored.
class PipeReader {
 public:
  static constexpr std::size_t kLine = 4096;
  static constexpr std::size_t kTotal = 64 * 1024;

  /// True once, when it becomes ready.
  bool feed(std::string_view bytes);
  /// End of file: a last line needs no newline.
  bool end();
  bool broken() const { return broken_; }
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("lines", lines_);
    io("total", total_);
    io("ready", ready_);
    io("broken", broken_);
  }

 private:
  bool line(std::string_view text, bool cut);

  LineBuffer lines_{kLine};
  std::size_t total_ = 0;
  bool ready_ = false;
  bool broken_ = false;
};

/// The socket of NOTIFY_SOCKET (sd_notify(3)): a datagram is assignments, one a line. Only the exact `READY=1` is
/// ready. Unknown assignments are ignored.
struct Notice {
  static constexpr std::size_t kBytes = 4096;  // a longer datagram is dropped
  static constexpr std::size_t kStatus = 200;

  bool ready = false;
  std::optional<Duration> extend;     // EXTEND_TIMEOUT_USEC, rounded up to milliseconds
  std::optional<std::string> status;  // STATUS, cut to kStatus bytes, control characters replaced

  static Notice parse(std::string_view datagram);
  /// It has no assignment that is known here.
  bool empty() const { return !ready && !extend && !status; }
};

/// The descriptor of `fd:N` (s6's notification-fd): the first newline is ready, everything else is ignored.
class NewlineReader {
 public:
  /// True once, when it becomes ready.
  bool feed(std::string_view bytes) { return !ready_ && (ready_ = bytes.find('\n') != std::string_view::npos); }
  bool ready() const { return ready_; }
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("ready", ready_);
  }

 private:
  bool ready_ = false;
};

/// Node's IPC channel in the mode `json` (lib/internal/child_process.js): one JSON value a line. Ready is the string
/// "ready", and also the bare word that a shell script writes, with or without a newline.
class IpcReader {
 public:
  static constexpr std::size_t kLine = 1 << 20;
  /// The answer to a handle; until the worker receives it, it sends nothing else.
  static constexpr std::string_view kRefuseHandle = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

  struct Result {
    bool ready = false;
    unsigned handles = 0;  // each must be answered with kRefuseHandle
  };
  Result feed(std::string_view bytes);
  /// Nothing more to read for now, or end of file.
  bool idle();
  /// Lines that cannot be JSON, or are too long.
  std::uint64_t garbage() const { return garbage_; }
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("lines", lines_);
    io("garbage", garbage_);
  }

 private:
  void line(std::string_view text, bool cut, Result& result);

  LineBuffer lines_{kLine};
  std::uint64_t garbage_ = 0;
};

/// Decides when one process is ready, and by which way.
///
/// `auto` offers the messages notify and pipe, IPC to programs that speak it, and one probe: HTTP if there is a health
/// path, else a connect, unless the socket is inherited: a connect to it succeeds before the worker runs.
class ReadyJudge {
 public:
  /// A connect shows that the program listens, not that it is ready; a message within this time takes precedence.
  static constexpr Duration kStanding{1'000};
  static constexpr unsigned kAnswers = 2;  // good HTTP answers in a row

  explicit ReadyJudge(const VersionSettings& settings);

  bool offers(ReadyWay way) const;
  /// Whether a probe may make it ready: a deadline for that must not pass while no router can probe.
  bool by_probe() const { return offers(ReadyWay::tcp) || offers(ReadyWay::http); }
  /// The path to probe; empty: a connect is enough.
  std::string probe_path() const { return offers(ReadyWay::tcp) ? std::string() : health_path_; }

  /// A message arrived by that way. Returns the way by which it became ready, once.
  std::optional<ReadyWay> said(ReadyWay way);
  /// The last probe has passed, which alone does not make it ready.
  bool answered() const { return answers_ > 0 || connected_since_; }
  /// A probe of probe_path() has passed or failed.
  std::optional<ReadyWay> probed(bool ok, TimePoint now);
  /// For config/base/archive.hpp; the rest follows from the settings.
  template <class Io>
  void archive(Io& io) {
    io("decided", decided_);
    io("answers", answers_);
    io("connected_since", connected_since_);
  }

 private:
  std::optional<ReadyWay> decide(ReadyWay way);

  Readiness readiness_;
  std::string health_path_;
  bool speaks_ipc_;
  bool inherits_;
  bool decided_ = false;
  unsigned answers_ = 0;  // in a row
  std::optional<TimePoint> connected_since_;
};

}  // namespace gray::supervisor

#include "control/grayctl/watch.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <array>
#include <ostream>

#include "config/base/units.hpp"
#include "control/grayctl/table.hpp"

namespace gray::control {
namespace {

constexpr Duration kInterval{100};

volatile sig_atomic_t g_interrupted = 0;

/// While it exists, Ctrl-C only sets a flag and ends a sleep.
class InterruptFlag {
 public:
  InterruptFlag() {
    g_interrupted = 0;
    struct sigaction raise{};
    raise.sa_handler = [](int) { g_interrupted = 1; };
    ::sigaction(SIGINT, &raise, &before_);
  }
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;
  ~InterruptFlag() { ::sigaction(SIGINT, &before_, nullptr); }
  bool raised() const { return g_interrupted != 0; }

 private:
  struct sigaction before_{};
};

/// On a terminal one line that is rewritten, elsewhere a line for each change.
class ProgressLine {
 public:
  ProgressLine(std::ostream& err, const Person& person) : err_(err), person_(person) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (person_.watches && shown_) err_ << kErase << std::flush;
  }

  void show(const std::string& text) {
    if (person_.watches)
      err_ << kErase << cut(fmt::format("{} {}", kFrames[frame_++ % kFrames.size()], text), person_.width - 1);
    else if (text != last_)
      err_ << text << "\n";
    err_ << std::flush;
    last_ = text;
    shown_ = true;
  }

 private:
  static constexpr const char* kErase = "\r\x1b[K";
  static constexpr std::array kFrames = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

  std::ostream& err_;
  const Person& person_;
  std::string last_;
  std::size_t frame_ = 0;
  bool shown_ = false;
};

Watched given_up(ExitCode code, std::string error) {
  return {{.code = code, .body = {}, .error = std::move(error)}, {}};
}

Watched went_away(const Awaited& awaited, const Answer& answer) {
  if (answer.code != ExitCode::no_daemon && answer.code != ExitCode::failed) return {answer, {}};
  return given_up(ExitCode::no_daemon, fmt::format("lost the connection to grayd; the outcome of the {} is unknown: {}",
                                                   subject(awaited), answer.error));
}

/// While grayd replaces itself, it may break a call, and answers a moment later.
bool may_be_silent(const Awaited& awaited) { return awaited.verb == Verb::upgrade && awaited.service == "grayd"; }

}  // namespace

Watched watch(Client& client, const Awaited& awaited, const Watching& watching) {
  const InterruptFlag interrupt;
  ProgressLine line(watching.err, watching.person);
  const TimePoint until = Clock::now() + watching.timeout;
  TimePoint heard = Clock::now();
  for (;;) {
    Answer answer = client.get("status");
    if (interrupt.raised())
      return given_up(ExitCode::interrupted,
                      fmt::format("no longer waiting for the {}; {}", subject(awaited), where_to_look(awaited)));
    if (answer.code != ExitCode::ok) {
      const bool gone = !may_be_silent(awaited) || Clock::now() >= std::min(until, heard + Client::kUpgradeTime);
      if (gone) return went_away(awaited, answer);
      ::poll(nullptr, 0, static_cast<int>(kInterval.count()));
      continue;
    }
    heard = Clock::now();
    const Progress progress = judge(awaited, answer.body);
    if (progress.over && progress.code != ExitCode::ok) return given_up(progress.code, progress.text);
    if (progress.over) return {std::move(answer), progress.text};
    const TimePoint now = Clock::now();
    if (now >= until)
      return given_up(ExitCode::timeout, fmt::format("{} after {}; {}", progress.text,
                                                     format_duration(watching.timeout), where_to_look(awaited)));
    line.show(progress.text);
    const auto left = std::chrono::ceil<Duration>(until - now);
    ::poll(nullptr, 0, static_cast<int>(std::min(kInterval, left).count()));
  }
}

}  // namespace gray::control

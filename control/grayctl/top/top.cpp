#include "control/grayctl/top/top.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <optional>
#include <ostream>

#include "config/base/wall_time.hpp"
#include "control/grayctl/client.hpp"
#include "control/grayctl/status_view.hpp"
#include "control/grayctl/top/frame.hpp"
#include "control/grayctl/top/plain.hpp"
#include "control/grayctl/top/screen.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kAnswerTime{2'000};   // of grayd; the keys wait for it, too
constexpr Duration kFrameInterval{500};  // from one to the next
constexpr Duration kLines{2'000};        // ten readers cost grayd less than 1 % of a core
constexpr int kEntries = 100;            // of events and log lines in one answer
constexpr int kDetailsEach = 4;          // looks: events, log lines and rollouts change more slowly than figures

/// Asks grayd, and collects the answers.
class Looks {
 public:
  explicit Looks(const Command& command)
      : service_(command.service), client_(find_socket(command.socket), kAnswerTime) {}

  /// The figures; `details`: also events, output and rollouts, not at every look.
  Answer look(bool details) {
    Answer answer = client_.get(name_of(Verb::status));
    if (std::string error;
        answer.code == ExitCode::ok && !service_.empty() && !keep_only(answer.body, service_, error) && !seen_)
      return {.code = ExitCode::usage, .body = {}, .error = error};
    if (answer.code != ExitCode::ok) {
      figures_.take_failure(answer.error, Clock::now());
      return answer;
    }
    seen_ = true;
    figures_.take_status(answer.body, Clock::now());
    if (details && number_++ % kDetailsEach == 0) look_at_details();
    return answer;
  }
  TopView view() const { return figures_.view(Clock::now()); }

 private:
  /// What fails here is asked again at the next time; the status says whether grayd is there.
  void look_at_details() {
    if (const Answer events = client_.get(name_of(Verb::events), question(figures_.last_event())); is_good(events))
      figures_.take_events(events.body);
    if (const Answer lines = client_.get(name_of(Verb::logs), question(figures_.last_line())); is_good(lines))
      figures_.take_lines(lines.body);
    for (const std::string& service : figures_.next_rollouts()) {
      const Answer rollout = client_.get(name_of(Verb::rollout_status), {{"service", service}});
      if (is_good(rollout)) figures_.take_rollout(service, rollout.body);
      if (rollout.code == ExitCode::conflict) figures_.take_rollout(service, std::nullopt);
    }
  }
  json question(std::uint64_t after) const {
    json args = {{"after", after}, {"count", kEntries}};
    if (!service_.empty()) args["service"] = service_;
    return args;
  }
  static bool is_good(const Answer& answer) { return answer.code == ExitCode::ok; }

  std::string service_;
  Client client_;
  LiveFigures figures_;
  unsigned number_ = 0;
  bool seen_ = false;
};

/// Ends the process as `number` would have done, after the terminal was given back.
[[noreturn]] void end_by(int number) {
  (void)::signal(number, SIG_DFL);
  (void)::raise(number);
  ::_exit(128 + number);
}

struct Frames {
  Looks& looks;
  const Command& command;
  const Terminal& terminal;
  Screen screen{STDIN_FILENO, terminal.fd};
  Controls controls = {};
  TopView shown = {};
  TimePoint next = Clock::now();
  int made = 0;
  bool clear = true;

  bool enough() const { return command.top.count > 0 && made >= command.top.count; }

  bool draw() {
    const bool drawn = screen.draw(frame(shown, controls, measured_again(terminal)), clear);
    clear = false;
    return drawn;
  }

  void look() {
    (void)looks.look(true);
    if (!controls.paused) shown = looks.view();
    next = std::max(next + command.top.interval.value_or(kFrameInterval), Clock::now());
    ++made;
  }

  /// The signal that ends it; 0: none.
  int run() {
    shown = looks.view();
    while (draw() && !controls.quit && !enough()) {
      const auto input = screen.wait(std::chrono::ceil<Duration>(next - Clock::now()));
      if (input.ended_by != 0) return input.ended_by;
      if (input.gone) return 0;
      press(controls, input.keys);
      clear = clear || input.resized;
      if (!controls.quit && Clock::now() >= next) look();
    }
    return 0;
  }
};

Answer show_frames(Looks& looks, const Command& command, const Terminal& terminal) {
  int signal = 0;
  try {
    Frames frames{looks, command, terminal};
    signal = frames.run();
  } catch (const std::exception& error) {  // here, so that the terminal is given back before the message
    return {.code = ExitCode::failed, .body = {}, .error = fmt::format("cannot show the frame: {}", error.what())};
  }
  if (signal != 0) end_by(signal);
  return {};
}

/// Waits for the next look; false: nobody reads any more.
bool pause_until(TimePoint next, const std::ostream& out, int fd) {
  if (!out) return false;
  pollfd reader{fd, 0, 0};
  const auto time = std::max<Duration::rep>(std::chrono::ceil<Duration>(next - Clock::now()).count(), 0);
  return ::poll(&reader, 1, static_cast<int>(time)) <= 0 || (reader.revents & (POLLERR | POLLHUP)) == 0;
}

Answer show_lines(Looks& looks, const Command& command, bool as_json, std::ostream& out, std::ostream& err, int fd) {
  const Duration interval = command.top.interval.value_or(kLines);
  TimePoint next = Clock::now();
  bool silent = false;
  if (!as_json) out << plain_titles();
  for (int made = 0;;) {
    if (!silent) {
      const std::string time = rfc3339(wall_now()).substr(0, 19) + "Z";
      if (as_json)
        out << top_json(looks.view(), time).dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
      else
        out << plain_lines(looks.view(), time) << std::flush;
      if (++made == command.top.count) return {};
    }
    next = std::max(next + interval, Clock::now());
    if (!pause_until(next, out, fd)) return {};
    const Answer answer = looks.look(false);
    const bool failed = answer.code != ExitCode::ok;
    if (failed && !silent) err << "grayctl: " << answer.error << "; asks again until it answers\n" << std::flush;
    silent = failed;
  }
}

}  // namespace

Answer run_top(const Command& command, bool as_json, std::ostream& out, std::ostream& err, const Terminal& terminal) {
  const bool frames = terminal.redraws && terminal.fd >= 0 && !as_json;
  Looks looks(command);
  if (Answer first = looks.look(frames); first.code != ExitCode::ok) return first;
  return frames ? show_frames(looks, command, terminal) : show_lines(looks, command, as_json, out, err, terminal.fd);
}

}  // namespace gray::control

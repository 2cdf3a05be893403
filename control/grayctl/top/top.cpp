#include "control/grayctl/top/top.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <iterator>
#include <ostream>
#include <utility>

#include "control/grayctl/client.hpp"
#include "control/grayctl/top/frame.hpp"
#include "control/grayctl/top/live_stream.hpp"
#include "control/grayctl/top/plain.hpp"
#include "control/grayctl/top/screen.hpp"
#include "control/grayctl/top/viewer.hpp"
#include "control/live/figures_json.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kLines{2'000};      // from one look to the next
constexpr Duration kIdleFrame{1'000};  // without news: the time that grayd has been silent
constexpr Duration kFirst{5'000};      // for the first picture

/// The live feed, and what was read of it.
class Looks {
 public:
  explicit Looks(const Command& command) : viewer_(command.service), stream_(find_socket(command.socket)) {}

  /// Takes the news. Not ok: what is wrong with the newest.
  Answer look() {
    auto news = stream_.take();
    Answer answer;
    if (news.picture) answer = viewer_.take_picture(std::move(*news.picture), Clock::now());
    if (news.failure.code == ExitCode::ok) return answer;
    viewer_.take_failure(news.failure.error, Clock::now());
    return std::move(news.failure);
  }
  /// The first picture, or why there is none.
  Answer first() {
    pollfd news{stream_.fd(), POLLIN, 0};
    if (::poll(&news, 1, static_cast<int>(kFirst.count())) > 0) return look();
    return {.code = ExitCode::timeout, .body = {}, .error = "grayd sends no figures; see its log"};
  }
  TopView view() const { return viewer_.view(Clock::now()); }
  const Viewer& viewer() const { return viewer_; }
  /// Readable when there is something to look at.
  int fd() const { return stream_.fd(); }

 private:
  Viewer viewer_;
  LiveStream stream_;
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
  TimePoint next = Clock::now();  // the earliest time of the next look
  int made = 0;
  bool clear = true;

  bool enough() const { return command.top.count > 0 && made >= command.top.count; }

  bool draw() {
    const bool drawn = screen.draw(frame(shown, controls, measured_again(terminal)), clear);
    clear = false;
    return drawn;
  }

  Screen::Input wait() {
    const auto left = std::chrono::ceil<Duration>(next - Clock::now());
    return left > Duration{0} ? screen.wait(left) : screen.wait(kIdleFrame, looks.fd());
  }

  void look() {
    pollfd news{looks.fd(), POLLIN, 0};
    if (::poll(&news, 1, 0) > 0) {
      made += looks.look().code == ExitCode::ok;
      next = Clock::now() + command.top.interval.value_or(Duration{0});
    }
    if (!controls.paused) shown = looks.view();
  }

  /// The signal that ends it; 0: none.
  int run() {
    shown = looks.view();
    while (draw() && !controls.quit && !enough()) {
      const auto input = wait();
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

/// Waits until `next`, and then for something to look at; false: nobody reads any more.
bool wait_for_look(TimePoint next, int news, const std::ostream& out, int fd) {
  for (;;) {
    if (!out) return false;
    const auto left = std::chrono::ceil<Duration>(next - Clock::now()).count();
    pollfd events[] = {{fd, 0, 0}, {left > 0 ? -1 : news, POLLIN, 0}};
    const int count = ::poll(events, std::size(events), left > 0 ? static_cast<int>(left) : -1);
    if ((events[0].revents & (POLLERR | POLLHUP)) != 0) return false;
    if (count > 0 && events[1].revents != 0) return true;
  }
}

Answer show_lines(Looks& looks, const Command& command, bool as_json, std::ostream& out, std::ostream& err, int fd) {
  const Duration interval = command.top.interval.value_or(kLines);
  TimePoint next = Clock::now();
  if (!as_json) out << plain_titles();
  for (int made = 0;;) {
    const std::string& time = looks.viewer().time();
    if (as_json)
      out << figures_json(looks.view(), time).dump(-1, ' ', false, json::error_handler_t::replace) << "\n"
          << std::flush;
    else
      out << plain_lines(looks.view(), time) << std::flush;
    if (++made == command.top.count) return {};
    next = std::max(next + interval, Clock::now());
    for (bool good = false; !good;) {
      if (!wait_for_look(next, looks.fd(), out, fd)) return {};
      const bool silent = looks.viewer().silent();
      const Answer answer = looks.look();
      good = answer.code == ExitCode::ok;
      if (!good && !silent) err << "grayctl: " << answer.error << "; asks again until it answers\n" << std::flush;
    }
  }
}

}  // namespace

Answer run_top(const Command& command, bool as_json, std::ostream& out, std::ostream& err, const Terminal& terminal) {
  const bool frames = terminal.redraws && terminal.fd >= 0 && !as_json;
  Looks looks(command);
  if (Answer first = looks.first(); first.code != ExitCode::ok) return first;
  return frames ? show_frames(looks, command, terminal) : show_lines(looks, command, as_json, out, err, terminal.fd);
}

}  // namespace gray::control

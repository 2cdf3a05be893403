#include "grayd/demo/demo.hpp"

#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "config/base/demo_place.hpp"
#include "config/base/exit_code.hpp"
#include "config/base/socket_search.hpp"
#include "grayd/demo/demo_file.hpp"
#include "grayd/demo/demo_plan.hpp"
#include "grayd/demo/grayctl_words.hpp"
#include "grayd/demo/load.hpp"
#include "grayd/demo/own_listener.hpp"
#include "grayd/demo/private_folder.hpp"
#include "grayd/demo/screen.hpp"
#include "grayd/demo/story.hpp"
#include "grayd/process/admin_question.hpp"
#include "grayd/process/ending_signals.hpp"
#include "grayd/process/temporary_grayd.hpp"

namespace gray::demo {
namespace {

using master::TemporaryGrayd;

constexpr Duration kLook{250}, kAskTime{2'000};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), path);
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Break break_in(const std::string& folder) {
  const std::string path = folder + "/" + break_file(kNew);
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return {};
  const auto since = std::chrono::seconds(facts.st_mtim.tv_sec) + std::chrono::nanoseconds(facts.st_mtim.tv_nsec);
  return {text_of(path), WallTime(std::chrono::duration_cast<WallTime::duration>(since))};
}

class Show {
 public:
  Show(const std::string& folder, std::uint16_t port, std::string grayctl)
      : folder_(folder), socket_(folder + "/" + kSocket), port_(port), story_(std::move(grayctl)) {}

  /// False: nobody reads the output any more.
  bool look() {
    const std::string about = fmt::format("/v1/rollout-status?service={}", kService);
    const Sample sample = sample_of(master::asked_admin(socket_, "/v1/status", kAskTime),
                                    master::asked_admin(socket_, about, kAskTime), break_in(folder_));
    const Telling telling = story_.look(sample, load_ ? load_->tally() : Tally(), Clock::now());
    if (sample.up && !load_) load_.emplace(port_);
    if (telling.forgets_faults && load_) load_->forget_faults();
    for (const std::string& line : telling.lines) screen_.say(line);
    screen_.live(story_.live_line(screen_.width_of_live()));
    obey(telling.order);
    return screen_.is_read();
  }
  void end() { screen_.erase_live(); }

 private:
  void obey(Telling::Order order) {
    if (order == Telling::Order::start)
      master::told_admin(socket_, "/v1/rollout-start", {{"service", kService}, {"version", kNew}}, kAskTime);
    if (order == Telling::Order::pause)
      master::told_admin(socket_, "/v1/rollout-pause", {{"service", kService}}, kAskTime);
  }

  std::string folder_, socket_;
  std::uint16_t port_;
  Story story_;
  Screen screen_;
  std::optional<Load> load_;  // from the moment on in which both versions are up
};

int died(const std::string& log) {
  fmt::print(stderr, "grayd demo: grayd has ended; its output:\n{}", text_of(log));
  return static_cast<int>(ExitCode::failed);
}

int show(const PrivateFolder& folder, OwnListener listener, std::uint16_t asked, const std::string& program) {
  const std::string& path = folder.path();
  const std::string file = path + "/grayd.toml", log = path + "/grayd.log";
  write_file(path + "/" + kMarker, "");
  write_file(file, demo_file(listener.port, program));
  master::EndingSignals signals;
  const std::string socket = path + "/" + kSocket;
  const TemporaryGrayd grayd(program, file, log, listener.fd.get());
  listener.fd.reset();  // else the port would stay open when grayd ends
  const std::uint16_t port = listener.port;
  const std::string refused =
      listener.refused == 0 ? "" : fmt::format("port {}: {}", asked, std::strerror(listener.refused));
  while (living_socket({path}).empty())  // its file exists before it accepts
    if (grayd.ended_within(Duration{20}))
      return died(log);
    else if (signals.arrive_within(Duration{0}))
      return 0;
  const std::string grayctl = grayctl_words(program, usual_socket() == socket ? "" : socket);
  fmt::print("{}", introduction(port, refused, grayctl));
  Show shown(path, port, grayctl);
  while (shown.look()) {
    if (grayd.ended_within(Duration{0})) {
      shown.end();
      return died(log);
    }
    if (signals.arrive_within(kLook)) break;
  }
  shown.end();
  return 0;
}

}  // namespace

std::string introduction(std::uint16_t port, const std::string& refused, const std::string& grayctl) {
  std::string text;
  if (!refused.empty()) text = fmt::format("{}; this demo has port {}\n", refused, port);
  text += fmt::format(
      "http://127.0.0.1:{}/ is a small service in two versions: {} is stable, {} is new.\n"
      "{} users ask for {} pages a second. {} gets {} % of them, in steps.\n\n"
      "In a second terminal:\n",
      port, kOld, kNew, kUsers, Duration{1'000} / kInterval, kNew, kSteps);
  for (const auto& [words, what] : {std::pair{"top", "all figures, twice a second"},
                                    std::pair{"demo break v2", "v2 fails, and its users go back to v1 by themselves"},
                                    std::pair{"rollout status web", "the steps, and what the judge sees"}})
    text += fmt::format("  {} {:<20}{}\n", grayctl, words, what);
  return text + "Ctrl-C ends everything.\n\n";
}

int run_demo(const master::DemoArguments& arguments, const std::string& program) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed output ends the demo, not the process
  const int code = show(PrivateFolder(own_places()), open_listener(arguments.port), arguments.port, program);
  if (code == 0) fmt::print("The demo has ended; nothing of it is left.\n");
  return code;
}

}  // namespace gray::demo

#include "grayd/init/trial.hpp"

#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "grayd/init/first_file.hpp"
#include "grayd/process/admin_question.hpp"
#include "grayd/process/ending_signals.hpp"
#include "grayd/process/temporary_grayd.hpp"

namespace gray::init {
namespace {

namespace fs = std::filesystem;
using master::EndingSignals;
using master::TemporaryGrayd;
using nlohmann::json;

constexpr Duration kLook{50}, kAskTime{3'000}, kRouteTime{2'000};

[[noreturn]] void give_up(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

Duration since(TimePoint begin) { return std::chrono::duration_cast<Duration>(Clock::now() - begin); }

/// A folder of this trial. Below /tmp: the path of a socket must be short.
class Scratch {
 public:
  Scratch() {
    if (::mkdtemp(path_.data()) == nullptr) give_up("a temporary folder below /tmp");
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_.data(), ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string path() const { return path_.data(); }

 private:
  std::array<char, 32> path_{"/tmp/grayd-init-XXXXXX"};
};

json asked(const std::string& scratch, const char* path) {
  return master::asked_admin(scratch + "/admin.sock", path, kAskTime);
}

std::vector<std::string> last_lines(const std::string& scratch) {
  std::vector<std::string> lines;
  const json logs = asked(scratch, "/v1/logs?count=100");
  if (!logs.is_object() || !logs.contains("lines")) return lines;
  for (const json& line : logs["lines"]) lines.push_back(line.value("text", ""));
  return last_lines_of(std::move(lines));
}

/// GET / as a user sends it. The head of the answer is enough: its body may never end.
void ask_as_user(const std::string& scratch, Observation& seen) {
  auto client = master::client_of_socket(scratch + "/users.sock", kAskTime);
  const auto head = [&](const httplib::Response& response) {
    seen.status = response.status;
    seen.gray_reason = response.get_header_value("X-Gray-Reason");
    return false;
  };
  (void)client.Get("/", head, [](const char*, std::size_t) { return false; });
}

/// The router gets the healthy worker with its next table.
void ask_until_routed(const std::string& scratch, EndingSignals& signals, Observation& seen) {
  const TimePoint begin = Clock::now();
  do ask_as_user(scratch, seen);
  while ((seen.status == 0 || seen.gray_reason == "version-down") && since(begin) < kRouteTime &&
         !signals.arrive_within(kLook));
}

std::string text_of_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_trial(const TrialOrder& order, const std::string& scratch, const std::string& file) {
  std::ofstream out(file);
  out << trial_file(order.plan, order.service, {order.folder, scratch});
  out.close();
  if (!out) give_up("the configuration of the trial");
}

void observe(const std::string& scratch, const TemporaryGrayd& grayd, EndingSignals& signals, Observer& observer) {
  for (const TimePoint begin = Clock::now(); !observer.over();) {
    if (grayd.ended_within(Duration{0})) {
      observer.seen().end = Observation::End::no_grayd;
      observer.seen().cause = text_of_file(scratch + "/log");
      return;
    }
    const json status = asked(scratch, "/v1/status");
    auto sample = sample_of(status, since(begin));
    if (sample) {
      sample->ports = ports_of_session(sample->pid);
      observer.take(*sample);
    } else {
      observer.pass(since(begin));
    }
    if (!observer.over() && signals.arrive_within(kLook)) {
      observer.seen().end = Observation::End::interrupted;
      return;
    }
  }
}

}  // namespace

Observation run_trial(const TrialOrder& order) {
  const Scratch scratch;
  const std::string path = scratch.path(), file = path + "/grayd.toml";
  write_trial(order, path, file);
  EndingSignals signals;
  Observer observer(order.limit);
  {
    const TemporaryGrayd grayd(order.program, file, path + "/log");
    observe(path, grayd, signals, observer);
    Observation& seen = observer.seen();
    if (seen.end == Observation::End::healthy) ask_until_routed(path, signals, seen);
    if (seen.end != Observation::End::no_grayd) seen.last_lines = last_lines(path);
  }
  return observer.seen();
}

}  // namespace gray::init

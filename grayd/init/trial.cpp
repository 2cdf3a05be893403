#include "grayd/init/trial.hpp"

#include <fcntl.h>
#include <httplib.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "config/base/pidfd.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/init/first_file.hpp"

namespace gray::init {
namespace {

namespace fs = std::filesystem;
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

/// The signals that end a program wait until the trial has ended what it started.
class EndingSignals {
 public:
  EndingSignals() {
    ::sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals_, signal);
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
  }
  ~EndingSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;
  /// Waits so long, or until one of them arrives: then true.
  bool arrive_within(Duration time) {
    const timespec limit{time.count() / 1'000, (time.count() % 1'000) * 1'000'000};
    return ::sigtimedwait(&signals_, nullptr, &limit) > 0;
  }

 private:
  sigset_t signals_{}, before_{};
};

class TemporaryGrayd {
 public:
  TemporaryGrayd(const std::string& program, const std::string& file, const std::string& log) {
    std::string arguments[] = {"grayd", "--config", file};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
    const UniqueFd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const UniqueFd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!output || !input) give_up("the log of the trial");
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) give_up("a process for the trial");
    if (pid_ == 0) become(program.c_str(), argv, parent, input.get(), output.get());
    pidfd_.reset(::pidfd_open(pid_, 0));
  }
  ~TemporaryGrayd() {
    ::kill(pid_, SIGTERM);
    if (!ended_within(kStopTime)) ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  TemporaryGrayd(const TemporaryGrayd&) = delete;
  TemporaryGrayd& operator=(const TemporaryGrayd&) = delete;

  bool ended_within(Duration time) const {
    pollfd end{pidfd_.get(), POLLIN, 0};
    return pidfd_ && ::poll(&end, 1, static_cast<int>(time.count())) > 0;
  }

 private:
  [[noreturn]] static void become(const char* program, char* const* argv, pid_t parent, int input, int output) {
    ::setpgid(0, 0);  // Ctrl-C is for the parent, which then ends this one
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(126);
    for (const char* name : {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(name);
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execv(program, argv);
    ::_exit(127);
  }

  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

httplib::Client client_of(const std::string& socket, Duration time) {
  httplib::Client client(socket, 80);  // a unix socket has no port, but the library refuses 0
  client.set_address_family(AF_UNIX);
  client.set_default_headers({{"Host", "localhost"}});
  client.set_read_timeout(time);
  return client;
}

json asked(const std::string& scratch, const char* path) {
  auto client = client_of(scratch + "/admin.sock", kAskTime);
  const auto answer = client.Get(path);
  if (!answer || answer->status != 200) return {};
  return json::parse(answer->body, nullptr, false);
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
  auto client = client_of(scratch + "/users.sock", kAskTime);
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

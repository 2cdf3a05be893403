#include "supervisor/process/worker_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <cerrno>
#include <functional>

#include "config/base/address.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

/// Records the reports of one process, in order.
struct Recorder : private WorkerProcess::Owner {
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> stay{io.get_executor()};
  VersionSettings settings;
  std::uint64_t counter = 0;
  OutputTail tail{counter};
  LineRate rate;
  ProcessScan scan;
  int kept = 0;  // how often lines were added to the tail
  std::vector<std::string> events;
  std::vector<std::string> lines_at_exit;
  std::vector<ReadyWay> closes;
  std::optional<int> status;
  std::optional<SpawnError> error;
  const std::string instance =
      "test-" + std::to_string(::getpid()) + "-" + std::to_string(Clock::now().time_since_epoch().count());
  WorkerFolders folders{instance};
  std::optional<WorkerFolder> folder;
  UniqueFd listener;
  std::unique_ptr<WorkerProcess> process;

  /// A worker that says nothing; the path of its socket.
  std::string start_with_notify_socket() {
    settings.ready.automatic = false;
    settings.ready.ways = {ReadyWay::notify};
    start({"/bin/sh", "-c", "echo $NOTIFY_SOCKET; exec tail -f /dev/null"});
    REQUIRE(process);
    REQUIRE(until([&] { return !tail.last(1).empty(); }));
    return tail.last(1).front();
  }

  int start(std::vector<std::string> command) {
    settings.command = std::move(command);
    if (settings.cwd.empty()) settings.cwd = "/";
    const ReadyJudge judge(settings);
    int failed = 0;
    WorkerIdentity identity{.version = "v1", .worker_id = "web@v1#0", .generation = 1, .instance = instance};
    if (judge.offers(ReadyWay::notify)) {
      folder = folders.make(1, {});
      REQUIRE(folder);
      identity.notify_path = folder->notify_path();
    }
    process = WorkerProcess::start(
        io, *this, {settings, judge, identity, std::nullopt, tail, rate, scan, std::move(folder), {}, listener.get()},
        failed);
    return failed;
  }
  void shell(const std::string& script) {
    start({"/bin/sh", "-c", script});
    REQUIRE(process);
  }
  bool until(const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + 10s;
    while (!condition() && Clock::now() < end) io.run_one_for(10ms);
    return condition();
  }
  bool ends() {
    return until([this] { return status.has_value(); });
  }
  std::ptrdiff_t count(const std::string& event) const { return std::count(events.begin(), events.end(), event); }

 private:
  void executed() override { events.push_back("executed"); }
  void spawn_failed(const SpawnError& what, const std::string& text) override {
    error = what;
    events.push_back(text);
  }
  void said_ready(ReadyWay way) override { events.push_back("ready by " + std::string(name(way))); }
  void noticed(const Notice& notice) override {
    if (notice.ready) events.push_back("ready by notify");
    if (notice.status) events.push_back("status " + *notice.status);
  }
  void ignored(const std::string& why) override { events.push_back(why); }
  void closed(ReadyWay way) override {
    if (status) return;
    closes.push_back(way);
  }
  void exited(int how) override {
    status = how;
    lines_at_exit = tail.last(OutputTail::kLines);
    events.push_back("exited");
  }
  void rest_changed() override { events.push_back("rest changed"); }
  void wrote(const std::string& line) override { events.push_back("wrote " + line); }
  void kept_output() override { ++kept; }
};

void notify(const std::string& path, std::string_view text) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = Address::parse("unix:" + path)->to(storage);
  REQUIRE(::sendto(socket.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&storage), length) ==
          static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE_FIXTURE(Recorder, "a process reports its start, its readiness, its lines and its exit code") {
  shell("printf 'READY=1\\n' >&$GRAY_READY_FD; echo out; echo err >&2; exit 3");
  REQUIRE(ends());
  CHECK(events.size() == 5);
  for (const char* event : {"executed", "ready by pipe", "wrote out", "wrote err"}) {
    CAPTURE(event);
    CHECK(count(event) == 1);
  }
  CHECK(events.back() == "exited");
  CHECK(WIFEXITED(*status));
  CHECK(WEXITSTATUS(*status) == 3);
  CHECK(process->gone());
}

TEST_CASE_FIXTURE(Recorder, "a process that ends by a signal is reported with the signal") {
  shell("echo up; exec tail -f /dev/null");
  REQUIRE(until([&] { return count("wrote up") == 1; }));
  process->signal(SIGTERM);
  REQUIRE(ends());
  CHECK(WIFSIGNALED(*status));
  CHECK(WTERMSIG(*status) == SIGTERM);
}

// The pipe can hold more than is read in one turn, so that the exit is noticed before the last line is read.
TEST_CASE_FIXTURE(Recorder, "all output of a process is read before its exit is reported") {
  shell("kill -STOP $$; seq 1 100000; printf 'READY=1' >&$GRAY_READY_FD; printf 'the end'");
  const auto pid = static_cast<id_t>(process->pid());
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT) == 0);
  UniqueFd out(::open(("/proc/" + std::to_string(pid) + "/fd/1").c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::fcntl(out.get(), F_SETPIPE_SZ, 1 << 20) >= 1 << 20);
  out.reset();  // otherwise there would be no end of file
  process->signal(SIGCONT);
  REQUIRE(::waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
  CHECK(events.empty());
  REQUIRE(ends());
  REQUIRE(lines_at_exit.size() == OutputTail::kLines);
  CHECK(lines_at_exit.front() == "99002");
  CHECK(lines_at_exit.back() == "the end");
  CHECK(kept > 0);
  CHECK(count("ready by pipe") == 1);
  CHECK(events.back() == "exited");
}

TEST_CASE_FIXTURE(Recorder, "a missing program or folder is reported as such, and never as executed") {
  SUBCASE("program") {
    start({"/nonexistent/program"});
    REQUIRE(ends());
    CHECK(error->stage == SpawnError::Stage::exec);
    CHECK(events.front().find("\"/nonexistent/program\"") != std::string::npos);
  }
  SUBCASE("folder") {
    settings.cwd = "/nonexistent";
    start({"/bin/sh"});
    REQUIRE(ends());
    CHECK(error->stage == SpawnError::Stage::cwd);
    CHECK(events.front().find("\"/nonexistent\"") != std::string::npos);
  }
  CHECK(error->error == ENOENT);
  CHECK(events.size() == 2);
  CHECK(events.back() == "exited");
}

TEST_CASE_FIXTURE(Recorder, "a process that has ended is not gone while its children live, and they are killed") {
  shell("tail -f /dev/null & echo left $!");
  REQUIRE(ends());
  const pid_t leader = process->pid();
  CHECK_FALSE(process->members().empty());
  CHECK_FALSE(process->gone());
  CHECK(::kill(leader, 0) == 0);  // its pid is not reused until then
  CHECK(process->watches_rest());
  REQUIRE(until([&] { return count("rest changed") == 1; }));
  CHECK(until([&] { return process->gone(); }));
  CHECK(process->members().empty());
  CHECK(::waitpid(leader, nullptr, WNOHANG) == -1);
}

TEST_CASE_FIXTURE(Recorder, "the destructor kills and reaps a living process") {
  shell("trap '' TERM; echo up; while :; do tail -f /dev/null; done");
  REQUIRE(until([&] { return count("wrote up") == 1; }));
  const pid_t leader = process->pid();
  process.reset();
  CHECK(::waitpid(leader, nullptr, WNOHANG) == -1);
  io.poll();
  CHECK_FALSE(status);
}

TEST_CASE_FIXTURE(Recorder, "without free descriptors no process is created, and the errno is returned") {
  shell("exit");  // the first start of all: what a sanitizer looks up with descriptors, it has looked up then
  REQUIRE(ends());
  process.reset();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const int failed = start({"/bin/sh", "-c", "exit"});
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(process);
  CHECK(failed == EMFILE);
}

TEST_CASE_FIXTURE(Recorder, "all messages of a notify socket are reported, however many there are") {
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::notify};
  start({"/bin/sh", "-c", "systemd-notify --ready --status=up && echo done; exec tail -f /dev/null"});
  REQUIRE(process);
  REQUIRE(until([&] { return count("wrote done") == 1; }));  // it waits until its barrier has been closed
  CHECK(count("executed") == 1);
  CHECK(count("ready by notify") == 1);
  CHECK(count("status up") == 1);
}

TEST_CASE_FIXTURE(Recorder, "a message of a process that is not the worker's is ignored, and reported once") {
  const std::string path = start_with_notify_socket();
  const std::string self = std::to_string(::getpid());
  for (const char* text : {"READY=1", "STATUS=forged", "EXTEND_TIMEOUT_USEC=1"}) notify(path, text);
  REQUIRE(until([&] {
    return count("a message on its NOTIFY_SOCKET was ignored: the sender, pid " + self +
                 " (supervisor_test), is not a process of this worker; send it from the worker itself") == 1;
  }));
  process->signal(SIGTERM);
  REQUIRE(ends());
  CHECK(events.size() == 4);  // executed, wrote, the complaint, exited
}

TEST_CASE_FIXTURE(Recorder, "a message of a process that has ended is ignored, and the report says what to do") {
  const std::string path = start_with_notify_socket();
  const pid_t child = ::fork();
  if (child == 0) {
    notify(path, "READY=1");
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(until([&] {
    return count("a message on its NOTIFY_SOCKET was ignored: the sender, pid " + std::to_string(child) +
                 ", has ended and cannot be checked; send it from a process that still runs, or wait until it was "
                 "read, as systemd-notify does") == 1;
  }));
  CHECK(count("ready by notify") == 0);
}

TEST_CASE_FIXTURE(Recorder,
                  "a newline on descriptor N of fd:N is ready, and the readiness pipe gets a different number") {
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::fd, ReadyWay::pipe};
  settings.ready.fd = 5;
  start({"/bin/sh", "-c", "echo $GRAY_READY_FD; echo x >&5; exec 5>&-; exec tail -f /dev/null"});
  REQUIRE(process);
  REQUIRE(until([&] { return closes.size() == 1; }));
  CHECK(count("ready by fd") == 1);
  CHECK(closes.front() == ReadyWay::fd);
  CHECK(until([&] { return count("wrote 3") == 1; }));
}

TEST_CASE_FIXTURE(Recorder, "an inherited socket is descriptor 3, fd:N has its number, and the pipe follows") {
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::fd, ReadyWay::pipe};
  settings.ready.fd = 4;
  listener.reset(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  start({"/bin/sh", "-c", "echo $GRAY_READY_FD; readlink /proc/$$/fd/3; exec 4>&-; exec tail -f /dev/null"});
  REQUIRE(process);
  CHECK(until([&] { return count("wrote 5") == 1 && count("wrote /etc/passwd") == 1; }));
  CHECK(until([&] { return closes == std::vector{ReadyWay::fd}; }));
  CHECK(count("ready by fd") == 0);
}

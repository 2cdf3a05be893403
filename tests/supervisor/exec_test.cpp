// A supervisor whose process really execs: this program runs itself, and that image execs itself once more.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

constexpr const char* kStateFd = "GRAY_TEST_STATE_FD";
constexpr const char* kDoneFd = "GRAY_TEST_DONE_FD";  // the last image writes to it at its end

int fd_from(const char* variable) {
  const char* const number = std::getenv(variable);
  REQUIRE(number != nullptr);
  return std::atoi(number);
}

/// Replaces this process by this program, which runs only one test case.
void become(const char* test_case) {
  const std::string filter = std::string("--test-case=") + test_case;
  ::execl("/proc/self/exe", "supervisor_test", "--no-skip", "--minimal", filter.c_str(), nullptr);
  ::_exit(127);
}

VersionSettings server(const std::string& name, const std::string& script) {
  VersionSettings settings = Running::shell(script);
  settings.name = name;
  settings.listen = ListenMode::inherited;
  return settings;
}

WorkerView only_worker(const Running& running, const std::string& version) {
  for (const auto& view : running.supervisor->view())
    if (view.version == version && view.workers.size() == 1) return view.workers.front();
  return {};
}

/// The data that a master keeps beside its supervisor.
struct MasterData {
  std::set<std::uint32_t>& cells;
  std::set<pid_t>& groups;
  pid_t pid = ::getpid(), serving = 0, doomed = 0;
  template <class Io>
  void archive(Io& io) {
    io("cells", cells);
    io("groups", groups);
    io("pid", pid);
    io("serving", serving);
    io("doomed", doomed);
  }
};

nlohmann::json everything_from(int fd) {
  std::ifstream file("/proc/self/fd/" + std::to_string(fd));
  return nlohmann::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace

TEST_CASE_FIXTURE(Running, "exec: the first image" * doctest::skip()) {
  const std::string forever = "printf 'READY=1\\n' >&$GRAY_READY_FD; while :; do sleep 100 & wait; done";
  supervisor->apply("web", server("serves", "trap 'echo again' USR1; " + forever));
  supervisor->apply("web", server("dies", forever));
  const auto routable = [&](const char* version) { return only_worker(*this, version).routable; };
  REQUIRE(until([&] { return routable("serves") && routable("dies"); }));

  MasterData beside{host.cells, host.groups};
  beside.serving = only_worker(*this, "serves").pid;
  beside.doomed = only_worker(*this, "dies").pid;
  Save save;
  save("supervisor", *supervisor);
  save("beside", beside);
  nlohmann::json all = {{"fds", save.fds()}};
  all["state"] = save.take();
  const std::string text = all.dump();
  const int memory = ::memfd_create("state", 0);
  REQUIRE(::write(memory, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  for (const int fd : save.fds()) REQUIRE(::fcntl(fd, F_SETFD, 0) == 0);
  REQUIRE(::setenv(kStateFd, std::to_string(memory).c_str(), 1) == 0);
  ::kill(beside.doomed, SIGKILL);
  become("exec: the second image");
}

TEST_CASE("exec: the second image" * doctest::skip()) {
  const auto all = everything_from(fd_from(kStateFd));
  Running now(kRestored);
  MasterData beside{now.host.cells, now.host.groups};
  Load load(all.at("state"), all.at("fds").get<std::set<int>>());
  load("supervisor", *now.supervisor);
  load("beside", beside);
  CHECK(load.left().empty());
  CHECK(beside.pid == ::getpid());
  CHECK(only_worker(now, "serves").pid == beside.serving);

  ::kill(beside.serving, SIGUSR1);
  REQUIRE(now.until([&] { return now.supervisor->output("web@serves#0") == std::vector<std::string>{"again"}; }));
  REQUIRE(now.until([&] {
    const WorkerView worker = only_worker(now, "dies");
    return worker.routable && worker.pid != beside.doomed;
  }));
  CHECK(only_worker(now, "dies").restarts == 1);
  CHECK(only_worker(now, "dies").last_exit == "signal 9");
  CHECK(only_worker(now, "serves").pid == beside.serving);
  CHECK(only_worker(now, "serves").restarts == 0);
  CHECK(std::ranges::count(now.host.events, EventKind::worker_exited, &EventRecord::kind) == 1);
  for (const int fd : all.at("fds")) CHECK((::fcntl(fd, F_GETFD) == -1 || (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0));
  CHECK(::write(fd_from(kDoneFd), "done", 4) == 4);
}

TEST_CASE("a process that execs itself keeps its workers and channels, and restarts dead ones once") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::setenv(kDoneFd, std::to_string(writer.get()).c_str(), 1);
    become("exec: the first image");
  }
  writer.reset();
  int status = -1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  char word[8];
  CHECK(::read(reader.get(), word, sizeof word) == 4);
}

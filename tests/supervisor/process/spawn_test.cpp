#include "supervisor/process/spawn.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

using namespace gray;
using namespace gray::supervisor;

namespace {

struct TempDir {
  std::string path;
  TempDir() {
    char pattern[] = "/tmp/gray-spawn-XXXXXX";
    path = ::mkdtemp(pattern);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name, const std::string& text, mode_t mode) const {
    const std::string full = path + "/" + name;
    std::ofstream(full) << text;
    ::chmod(full.c_str(), mode);
    return full;
  }
};

struct Run {
  std::string output;
  int status = 0;
  SpawnProgress progress = SpawnProgress::again;
  SpawnError error;
  pid_t pid = 0;
};

// Runs to the end and collects stdout.
Run run(SpawnPlan plan, const std::vector<int>& more_fds = {}) {
  int out[2];
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  UniqueFd ours(out[0]), theirs(out[1]), null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  plan.fds = {null.get(), theirs.get(), theirs.get()};
  plan.fds.insert(plan.fds.end(), more_fds.begin(), more_fds.end());
  Run result;
  int error = 0;
  auto spawned = spawn(plan, error);
  REQUIRE(spawned);
  theirs.reset();
  result.pid = spawned->pid;
  char chunk[4096];
  for (ssize_t got; (got = ::read(ours.get(), chunk, sizeof chunk)) > 0;)
    result.output.append(chunk, static_cast<std::size_t>(got));
  pollfd wait{spawned->errors.get(), POLLIN, 0};
  REQUIRE(::poll(&wait, 1, 5000) == 1);
  result.progress = read_spawn_error(spawned->errors.get(), result.error);
  REQUIRE(::waitpid(spawned->pid, &result.status, 0) == spawned->pid);
  return result;
}

SpawnPlan shell(const std::string& script) {
  return {{"/bin/sh"}, {"sh", "-c", script}, {"PATH=/usr/bin:/bin", "GREETING=hello"}, "/", {}, -1};
}

SpawnPlan program(const std::string& path) { return {{path}, {path}, {}, "/", {}, -1}; }

}  // namespace

TEST_CASE("a program runs in its folder, with its environment and nothing else, and leads its own session") {
  const Run result = run(shell("pwd; env | sort; echo $$; cut -d' ' -f5,6 /proc/$$/stat"));
  CHECK(result.progress == SpawnProgress::executed);
  const std::string pid = std::to_string(result.pid);
  CHECK(result.output.find("/\nGREETING=hello\n") == 0);
  CHECK(result.output.find("\n" + pid + "\n" + pid + " " + pid + "\n") != std::string::npos);
}

TEST_CASE("a program gets the given descriptors and no other") {
  const UniqueFd leak(::open("/dev/null", O_RDONLY));  // on purpose without close-on-exec
  const Run result = run(shell("ls /proc/self/fd"));
  CHECK(result.output == "0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

TEST_CASE("signals have their defaults, even if the master has blocked or ignored them") {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, &before);
  const auto old = ::signal(SIGPIPE, SIG_IGN);
  const Run result = run(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status; kill -TERM $$"));
  ::signal(SIGPIPE, old);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(result.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  CHECK(WTERMSIG(result.status) == SIGTERM);
}

TEST_CASE("a spawn does not change the signal mask of the master") {
  sigset_t before, after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  run(shell("true"));
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&before, SIGTERM) == sigismember(&after, SIGTERM));
}

TEST_CASE("each error before the program runs is reported by its errno, unlike an exit with 127") {
  const TempDir dir;
  const std::string text = dir.file("text", "no program", 0644),
                    script = dir.file("script", "#!/nonexistent/sh\n", 0755);
  const std::string odd = dir.file("odd", "neither ELF nor script", 0755);
  const struct {
    std::string path;
    int error;
  } rows[] = {{dir.path + "/missing", ENOENT},
              {text, EACCES},
              {text + "/below", ENOTDIR},
              {script, ENOENT},
              {odd, ENOEXEC},
              {dir.path, EACCES}};
  for (const auto& row : rows) {
    CAPTURE(row.path);
    const Run result = run(program(row.path));
    CHECK(result.progress == SpawnProgress::failed);
    CHECK(result.error.stage == SpawnError::Stage::exec);
    CHECK(result.error.error == row.error);
    CHECK(describe(result.error, program(row.path)).find(row.path) != std::string::npos);
  }
  const Run own = run(shell("exit 127"));
  CHECK(own.progress == SpawnProgress::executed);
  CHECK(WEXITSTATUS(own.status) == 127);
}

TEST_CASE("a missing working directory is distinguished from a missing program") {
  SpawnPlan plan = shell("true");
  plan.cwd = "/nonexistent";
  const Run result = run(plan);
  CHECK(result.progress == SpawnProgress::failed);
  CHECK(result.error.stage == SpawnError::Stage::cwd);
  CHECK(describe(result.error, plan) ==
        "cannot enter the working directory \"/nonexistent\": No such file or directory; check cwd");
}

TEST_CASE("the search continues after a file that may not be run, and reports it if no other is found") {
  const TempDir dir;
  const std::string text = dir.file("sh", "no program", 0644);
  SpawnPlan plan = shell("echo found");
  plan.candidates = {"/nonexistent/sh", text, "/bin/sh"};
  CHECK(run(plan).output == "found\n");
  plan.candidates = {"/nonexistent/sh", text};
  CHECK(run(plan).error.error == EACCES);
  plan.candidates = {"/nonexistent/sh", "/nonexistent/too/sh"};
  CHECK(run(plan).error.error == ENOENT);
}

TEST_CASE("a path with a slash is searched in the worker's folder") {
  const TempDir dir;
  dir.file("run", "#!/bin/sh\necho here\n", 0755);
  SpawnPlan plan = program("./run");
  plan.cwd = dir.path;
  CHECK(run(plan).output == "here\n");
}

TEST_CASE("a descriptor that is not open is an error, and nothing is forked") {
  SpawnPlan plan = shell("true");
  plan.fds = {987};
  int error = 0;
  CHECK_FALSE(spawn(plan, error));
  CHECK(error == EBADF);
}

TEST_CASE("descriptors have the requested numbers, and the numbers between them are closed") {
  const UniqueFd leak(::open("/dev/null", O_RDONLY));  // on purpose without close-on-exec
  const SpawnPlan plan = shell("ls /proc/self/fd");
  CHECK(run(plan, {-1, -1, leak.get()}).output == "0\n1\n2\n3\n5\n");  // 3 is the folder that ls reads
}

TEST_CASE("LISTEN_PID is the pid of the program, and the first variable of that name") {
  SpawnPlan plan = shell("echo $LISTEN_PID");
  plan.environment.push_back("LISTEN_FDS=1");
  plan.listen_pid = true;
  const Run result = run(plan);
  CHECK(result.output == std::to_string(result.pid) + "\n");
  CHECK(run(shell("echo ${LISTEN_PID-none}")).output == "none\n");
}

TEST_CASE("a program runs as its user, with its groups") {
  SpawnPlan plan = shell("id -u; id -g; id -G; echo $$");
  plan.user = Credentials{12345, 23456, {23456, 34567}, "somebody", "/"};
  const Run result = run(plan);
  if (::geteuid() == 0) {
    CHECK(result.output == "12345\n23456\n23456 34567\n" + std::to_string(result.pid) + "\n");
    return;
  }
  CHECK(result.progress == SpawnProgress::failed);
  CHECK(result.error.stage == SpawnError::Stage::user);
  CHECK(result.error.error == EPERM);
  CHECK(describe(result.error, plan) == "cannot run as user \"somebody\": Operation not permitted; check user");
}

TEST_CASE("a folder or a program that its user may not use is reported with the user") {
  if (::geteuid() != 0) return;
  const TempDir dir;  // 0700, root's
  SpawnPlan plan = shell("true");
  plan.user = Credentials{12345, 23456, {23456}, "somebody", "/"};
  plan.cwd = dir.path;
  const Run result = run(plan);
  CHECK(result.error.stage == SpawnError::Stage::cwd);
  CHECK(describe(result.error, plan).find("as user \"somebody\": Permission denied; check cwd") != std::string::npos);
}

TEST_CASE("a program dies with the master whatever user it runs as") {
  const std::string python = "/usr/bin/python3";
  if (::access(python.c_str(), X_OK) != 0) return;
  SpawnPlan plan = program(python);
  plan.argv = {python, "-c",
               "import ctypes; s = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(s)); print(s.value)"};
  CHECK(run(plan).output == "9\n");  // PR_GET_PDEATHSIG
  if (::geteuid() != 0) return;
  plan.user = Credentials{12345, 23456, {23456}, "somebody", "/"};
  CHECK(run(plan).output == "9\n");
}

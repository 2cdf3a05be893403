// With scripts in the place of grayd.
#include "grayd/process/temporary_grayd.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.hpp"

using namespace gray;

namespace {

struct ScriptAsGrayd {
  test::Folder folder;
  std::string program = folder.path / "grayd", log = folder.path / "log";

  explicit ScriptAsGrayd(const std::string& script) {
    std::ofstream(program) << "#!/bin/sh\necho $$ \"$@\"\n" << script;
    ::chmod(program.c_str(), 0755);
  }
  std::string output() const {
    std::ifstream in(log);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

}  // namespace

TEST_CASE("it gets the file, and its end is seen") {
  const ScriptAsGrayd script("echo problem >&2\nexit 1\n");
  const master::TemporaryGrayd grayd(script.program, "a.toml", script.log);
  CHECK(grayd.ended_within(Duration{20'000}));
  CHECK(script.output().find(" --config a.toml\nproblem\n") != std::string::npos);
}

TEST_CASE("it gets the socket as from a service manager") {
  const ScriptAsGrayd script(
      "echo \"fds $LISTEN_FDS\"; [ \"$LISTEN_PID\" = $$ ] && echo mine; [ -S /dev/fd/3 ] && echo open\n");
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const master::TemporaryGrayd grayd(script.program, "a.toml", script.log, listener.get());
  CHECK(grayd.ended_within(Duration{20'000}));
  CHECK(script.output().find("fds 1\nmine\nopen\n") != std::string::npos);
}

TEST_CASE("it ends with the object") {
  const ScriptAsGrayd script("exec sleep 1000\n");
  {
    const master::TemporaryGrayd grayd(script.program, "a.toml", script.log);
    CHECK_FALSE(grayd.ended_within(Duration{0}));
    while (script.output().empty()) CHECK_FALSE(grayd.ended_within(Duration{1}));
  }
  const pid_t pid = std::stoi(script.output());
  CHECK((::kill(pid, 0) != 0 && errno == ESRCH));
}

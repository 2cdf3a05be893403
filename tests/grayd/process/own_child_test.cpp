#include "grayd/process/own_child.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <system_error>

using namespace gray;
using namespace gray::master;

namespace {

struct ScriptEnd {
  int status = -1;
  std::string said;
};

ScriptEnd run_script(const std::string& script) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const UniqueFd other(::open("/dev/null", O_RDONLY));  // not close-on-exec, but not named either
  const auto child = start_own_child("/bin/sh", {"sh", "-c", script}, {{writing.get(), 4}}, "start it");
  writing.reset();
  ScriptEnd end;
  char chunk[4096];
  for (ssize_t got; (got = ::read(reading.get(), chunk, sizeof chunk)) > 0;)
    end.said.append(chunk, static_cast<std::size_t>(got));
  ::waitpid(child.pid, &end.status, 0);
  return end;
}

}  // namespace

TEST_CASE("a child of ours gets its descriptors and no others, and leads its own group") {
  CHECK(run_script("[ -e /proc/$$/fd/3 ] || echo none >&4; ls /proc/$$/fd | tail -1 >&4").said.starts_with("none\n"));
  const auto end = run_script("read -r pid name state parent group rest < /proc/$$/stat; echo $pid $group >&4");
  const auto space = end.said.find(' ');
  CHECK(end.said.substr(0, space) + "\n" == end.said.substr(space + 1));
  CHECK(end.status == 0);
}

TEST_CASE("a program that does not exist ends with 127; a descriptor that is not open is reported") {
  const auto child = start_own_child("/nonexistent", {"x"}, {}, "start it");
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  CHECK(WEXITSTATUS(status) == 127);
  CHECK_THROWS_WITH_AS(start_own_child("/bin/sh", {"sh"}, {{999'999, 3}}, "start it"), doctest::Contains("start it"),
                       std::system_error);
}

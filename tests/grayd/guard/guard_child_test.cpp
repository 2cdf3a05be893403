#include "grayd/guard/guard_child.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <array>
#include <fstream>

#include "tests/grayd/guard/sleeper.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

TEST_CASE("at the end of its pipe the guard kills the groups that are left, and the cgroup") {
  const test::Folder folder;  // stands for the cgroup
  std::ofstream(folder.path / "cgroup.kill") << "";
  test::Sleeper worker, other, gone;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reading(ends[0]), writing(ends[1]);
  const pid_t guard = ::fork();
  if (guard == 0) {
    writing.reset();
    ::_exit(run_guard({reading.release(), folder.path.string()}));
  }
  reading.reset();
  const std::array<pid_t, 6> numbers{worker.pid(), gone.pid(), other.pid(), -gone.pid(), 1, -4'000'000};
  REQUIRE(::write(writing.get(), numbers.data(), sizeof numbers) == sizeof numbers);
  for (int unread = 1; unread > 0;) REQUIRE(::ioctl(writing.get(), FIONREAD, &unread) == 0);
  ::kill(guard, SIGTERM);  // does not end it
  CHECK(worker.runs());
  writing.reset();
  int status = 0;
  REQUIRE(test::ended_in_time(guard, status));
  CHECK(status == 0);
  CHECK(worker.was_killed());
  CHECK(other.was_killed());
  CHECK(gone.runs());
  std::ifstream file(folder.path / "cgroup.kill");
  std::string text;
  file >> text;
  CHECK(text == "1");
}

#include "supervisor/process/oom_kills.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace gray::supervisor;

TEST_CASE("the count is the number of the exact line, not of one with a similar name") {
  CHECK(oom_kill_count("low 0\nhigh 3\nmax 5\noom 4\noom_kill 2\noom_group_kill 9\n") == 2);
  CHECK(oom_kill_count("oom_kill_disable 1\nunder_oom 1\noom_kill 7\n") == 7);
  CHECK(oom_kill_count("oom_group_kill 9\n") == 0);
  CHECK(oom_kill_count("") == 0);
}

TEST_CASE("cgroup v1 with the memory controller is found beside v2 and other controllers") {
  const std::string mounts =
      "30 23 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
      "33 23 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
      "39 23 0:35 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
  const std::string own = "5:memory:/a/b\n4:cpu,cpuacct:/c\n0::/d\n";
  CHECK(cgroup1_memory_path(mounts, own) == "/sys/fs/cgroup/memory/a/b");
  CHECK(cgroup1_memory_path(mounts, "0::/d\n").empty());
  CHECK(cgroup1_memory_path("", own).empty());
}

TEST_CASE("kills are counted in the worker's own cgroup, from the start on") {
  const auto folder = std::filesystem::temp_directory_path() / ("gray-oom-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const auto say = [&](int count) { std::ofstream(folder / "memory.events") << "oom_kill " << count << "\n"; };
  say(3);
  const OomKills kills = OomKills::since_now(folder);
  CHECK(kills.source() == folder / "memory.events");
  CHECK_FALSE(kills.any());
  say(4);
  CHECK(kills.any());
  std::filesystem::remove_all(folder);
  CHECK_FALSE(kills.any());
}

TEST_CASE("without an own cgroup a different counter is used") {
  const OomKills kills = OomKills::since_now({});
  CHECK_FALSE(kills.source().empty());
  CHECK_FALSE(kills.any());
}

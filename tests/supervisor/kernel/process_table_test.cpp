#include "supervisor/kernel/process_table.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include <algorithm>
#include <cstdlib>

#include "config/base/unique_fd.hpp"

using namespace gray::supervisor;

TEST_CASE("a line of stat is read even when the name contains spaces and parentheses") {
  const auto info = parse_stat("42 (a) b (c)) S 1 40 39 0 -1 4194304 100");
  REQUIRE(info);
  CHECK(info->pid == 42);
  CHECK(info->name == "a) b (c)");
  CHECK(info->state == 'S');
  CHECK(info->parent == 1);
  CHECK(info->group == 40);
  CHECK(info->session == 39);
}

TEST_CASE("malformed lines of stat are rejected") {
  for (const char* line : {"", "42", "42 (x", "42 )x( S 1 2 3", "x (y) S 1 2 3", "42 (y) S 1"})
    CHECK_FALSE(parse_stat(line));
}

TEST_CASE("the table contains this process, with its group and its session") {
  const auto all = all_processes();
  const auto self =
      std::find_if(all.begin(), all.end(), [](const ProcessInfo& info) { return info.pid == ::getpid(); });
  REQUIRE(self != all.end());
  CHECK(self->parent == ::getppid());
  CHECK(self->group == ::getpgrp());
  CHECK(self->session == ::getsid(0));
  CHECK(resident_bytes(::getpid()) > 0);
  CHECK(program_of(::getpid()).ends_with("supervisor_test"));
  CHECK(cwd_of(::getpid()) == std::filesystem::current_path().string());
}

TEST_CASE("a process is described by its pid and name until it has ended") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, "a) (b");
    ::pause();
    ::_exit(0);
  }
  const std::string expected = "pid " + std::to_string(child) + " (a) (b)";
  while (describe_process(child) != expected && ::waitpid(child, nullptr, WNOHANG) == 0) ::sched_yield();
  CHECK(describe_process(child) == expected);
  ::kill(child, SIGKILL);
  CHECK(::waitpid(child, nullptr, 0) == child);
  CHECK(describe_process(child).empty());
  CHECK(describe_process(-1).empty());
}

TEST_CASE("a file is read until `enough` is true, and no further") {
  const std::string all = read_file("/proc/self/smaps");
  REQUIRE(all.size() > 16'384);
  CHECK(read_file("/proc/self/smaps", [](std::string_view text) { return text.size() > 5'000; }).size() <= 3 * 4'096);
  CHECK(read_file("/nowhere/at/all").empty());
}

TEST_CASE("open files are counted") {
  const auto before = open_files(::getpid());
  CHECK(before >= 3);
  const gray::UniqueFd one(::open("/dev/null", O_RDONLY | O_CLOEXEC)), two(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(open_files(::getpid()) == before + 2);
  CHECK(open_files(-1) == 0);
}

TEST_CASE("a variable matches as a whole") {
  const char* path = std::getenv("PATH");
  REQUIRE(path);
  CHECK(has_variable(::getpid(), std::string("PATH=") + path));
  CHECK_FALSE(has_variable(::getpid(), "PATH="));
  CHECK_FALSE(has_variable(-1, "PATH="));
}

#include "config/log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <climits>

#include "config/unique_fd.hpp"

using namespace gray;

namespace {

std::string line(std::string_view text) {
  return log_line(LogLevel::warn, text,
                  std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'007)));
}

}  // namespace

TEST_CASE("a line has a UTC time, a level and the text") {
  CHECK(line("worker ready id=web@v1#0") == "2023-11-14T22:13:20.007Z warn worker ready id=web@v1#0\n");
}

TEST_CASE("a text cannot forge a second line") {
  CHECK(line("a\nb\x1b[2J\x7f\t") == "2023-11-14T22:13:20.007Z warn a b [2J  \n");
}

TEST_CASE("a line is never longer than a pipe takes whole") {
  const std::string long_line = line(std::string(10'000, 'x'));
  CHECK(long_line.size() == PIPE_BUF);
  CHECK(long_line.ends_with("xxx...\n"));
}

TEST_CASE("log writes one line to stderr") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reading(ends[0]), writing(ends[1]);
  UniqueFd saved(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
  REQUIRE(::dup2(writing.get(), STDERR_FILENO) >= 0);
  log(LogLevel::error, "no space");
  ::dup2(saved.get(), STDERR_FILENO);
  char buffer[200];
  const ssize_t got = ::read(reading.get(), buffer, sizeof(buffer));
  REQUIRE(got > 0);
  CHECK(std::string_view(buffer, static_cast<std::size_t>(got)).ends_with("Z error no space\n"));
}

#include "config/base/log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string>

#include "config/base/unique_fd.hpp"

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
  CHECK(line("\xc2\x9b"
             "2J \xe2\x80\xae"
             "x") == "2023-11-14T22:13:20.007Z warn   2J    x\n");
}

TEST_CASE("a line is never longer than an atomic write to a pipe") {
  const std::string long_line = line(std::string(10'000, 'x'));
  CHECK(long_line.size() == PIPE_BUF);
  CHECK(long_line.ends_with("xxx...\n"));
}

namespace {

/// Stderr is a pipe while it lives.
struct Piped {
  UniqueFd reading, writing, saved{::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)};

  Piped() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
    REQUIRE(::dup2(writing.get(), STDERR_FILENO) >= 0);
  }
  ~Piped() { ::dup2(saved.get(), STDERR_FILENO); }

  std::string read() const {
    std::string text(1 << 20, 0);
    const ssize_t got = ::read(reading.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
};

}  // namespace

TEST_CASE("log writes one line to stderr") {
  std::string text;
  {
    const Piped piped;
    log(LogLevel::error, "no space");
    text = piped.read();
  }
  CHECK(text.ends_with("Z error no space\n"));
}

TEST_CASE("a blocked log reader delays no writer, and the number of lost lines is logged") {
  std::string full, after;
  {
    const Piped piped;
    for (int i = 0; i < 1'000; ++i) log(LogLevel::info, std::string(1'000, 'x'));
    full = piped.read();
    log(LogLevel::info, "again");
    after = piped.read();
  }
  CHECK(full.size() <= 65'536);
  const auto written = static_cast<std::size_t>(std::count(full.begin(), full.end(), '\n'));
  CHECK(written > 15);
  CHECK(after.find("warn " + std::to_string(1'000 - written) + " lines lost: ") != std::string::npos);
  CHECK(after.ends_with("info again\n"));
}

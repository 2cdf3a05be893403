#include "router/stats/access_log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace gray::stats {
namespace {

constexpr Duration kInterval{1000};

TimePoint at(int ms) { return TimePoint{} + Duration{ms}; }

/// A line of `size` bytes, its end included, with its number at the front.
std::string line(std::size_t number, std::size_t size = 100) {
  std::string text = std::to_string(number);
  text.resize(size - 1, '.');
  return text + "\n";
}

struct Pipe {
  UniqueFd read, write;
};

Pipe nonblocking_pipe(int bytes = 4096) {
  int fds[2];
  REQUIRE(::pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  REQUIRE(::fcntl(pipe.write.get(), F_SETPIPE_SZ, bytes) >= bytes);
  return pipe;
}

std::string read_all(int fd) {
  std::string all;
  char chunk[4096];
  ssize_t got;
  while ((got = ::read(fd, chunk, sizeof chunk)) > 0) all.append(chunk, static_cast<std::size_t>(got));
  return all;
}

UniqueFd new_file() { return UniqueFd(::memfd_create("log", MFD_CLOEXEC)); }

std::string content_of(const UniqueFd& file) {
  REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  return read_all(file.get());
}

UniqueFd copy_of(const UniqueFd& fd) { return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); }

TEST_CASE("a log that is off takes no lines") {
  AccessLog log(UniqueFd(), kInterval);
  CHECK_FALSE(log.enabled());
  log.append(line(1), at(0));
  log.on_time(at(5000));
  log.flush(at(5000));
  CHECK(log.buffered() == 0);
  CHECK(log.dropped() == 0);
  CHECK_FALSE(log.next_deadline().has_value());
}

TEST_CASE("a line is written when the flush interval has passed, not before") {
  const UniqueFd file = new_file();
  AccessLog log(copy_of(file), kInterval);
  log.append(line(1), at(0));
  log.append(line(2), at(500));
  CHECK(log.next_deadline() == at(1000));
  log.on_time(at(999));
  CHECK(log.buffered() == 200);
  log.on_time(at(1000));
  CHECK(log.buffered() == 0);
  CHECK_FALSE(log.next_deadline().has_value());
  CHECK(content_of(file) == line(1) + line(2));
}

TEST_CASE("a buffer that is half full is written at once") {
  const UniqueFd file = new_file();
  AccessLog log(copy_of(file), kInterval);
  std::string expected;
  std::size_t number = 0;
  for (; expected.size() + 100 < kAccessBuffer / 2; ++number) {
    log.append(line(number), at(0));
    expected += line(number);
    REQUIRE(log.buffered() == expected.size());
  }
  log.append(line(number), at(0));
  CHECK(log.buffered() == 0);
  CHECK(content_of(file) == expected + line(number));
}

TEST_CASE("lines of two threads in one file stay whole") {
  char path[] = "/tmp/access-log-XXXXXX";
  const UniqueFd first(::mkostemp(path, O_APPEND | O_CLOEXEC));
  UniqueFd second(::open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
  REQUIRE(::unlink(path) == 0);
  AccessLog one(copy_of(first), kInterval), two(std::move(second), kInterval);
  one.append(line(1), at(0));
  two.append(line(2), at(0));
  one.append(line(3), at(0));
  two.flush(at(0));
  one.flush(at(0));
  CHECK(content_of(first) == line(2) + line(1) + line(3));
}

TEST_CASE("a full pipe keeps the lines for the next interval, and nothing is torn or lost") {
  const Pipe pipe = nonblocking_pipe();
  AccessLog log(copy_of(pipe.write), kInterval);
  std::string expected, got;
  for (std::size_t number = 0; number < 100; ++number) {
    log.append(line(number, 99), at(0));
    expected += line(number, 99);
  }
  log.flush(at(10));
  CHECK(log.buffered() == expected.size() - 4096);
  CHECK(log.next_deadline() == at(1010));
  for (int now = 1010; log.buffered() > 0 && now < 100'000; now += 1000) {
    got += read_all(pipe.read.get());
    log.on_time(at(now));
  }
  got += read_all(pipe.read.get());
  CHECK(got == expected);
  CHECK(log.dropped() == 0);
}

TEST_CASE("a pipe that stays full costs no more than the buffer, and what is dropped is counted") {
  const Pipe pipe = nonblocking_pipe();
  AccessLog log(copy_of(pipe.write), kInterval);
  std::size_t appended = 0;
  for (; appended < 2000; ++appended) log.append(line(appended), at(0));
  CHECK(log.buffered() <= kAccessBuffer);
  CHECK(log.dropped() == appended - (log.buffered() + 4096) / 100);
  std::string got = read_all(pipe.read.get());
  for (int now = 1000; log.buffered() > 0 && now < 1'000'000; now += 1000) {
    log.on_time(at(now));
    got += read_all(pipe.read.get());
  }
  std::string expected;
  for (std::size_t number = 0; number < appended - log.dropped(); ++number) expected += line(number);
  CHECK(got == expected);
}

TEST_CASE("on a full disk lines are dropped and counted until a write succeeds again") {
  AccessLog log(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), kInterval);
  log.append(line(1), at(0));
  log.append(line(2), at(0));
  log.on_time(at(1000));
  CHECK(log.dropped() == 2);
  CHECK(log.buffered() == 0);
  CHECK_FALSE(log.next_deadline().has_value());
  log.append(line(3), at(1500));
  CHECK(log.next_deadline() == at(2500));
  log.on_time(at(2500));
  CHECK(log.dropped() == 3);
  const UniqueFd file = new_file();
  log.reopen(copy_of(file), at(3000));
  log.append(line(4), at(3000));
  log.flush(at(3000));
  CHECK(content_of(file) == line(4));
  CHECK(log.dropped() == 3);
}

TEST_CASE("the rest of a line that was cut is written before any other line") {
  const Pipe pipe = nonblocking_pipe();
  AccessLog log(copy_of(pipe.write), kInterval);
  for (std::size_t number = 0; number < 50; ++number) log.append(line(number), at(0));
  log.flush(at(0));
  CHECK(log.buffered() == 5000 - 4096);
  const std::string got = read_all(pipe.read.get());
  CHECK(got.substr(4000) == line(40).substr(0, 96));
  log.append(line(50), at(0));
  log.flush(at(0));
  std::string expected = line(40).substr(96);
  for (std::size_t number = 41; number <= 50; ++number) expected += line(number);
  CHECK(read_all(pipe.read.get()) == expected);
}

TEST_CASE("a broken pipe drops whole lines and keeps the rest of a cut one") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe = nonblocking_pipe();
  AccessLog log(copy_of(pipe.write), kInterval);
  for (std::size_t number = 0; number < 50; ++number) log.append(line(number), at(0));
  log.flush(at(0));
  pipe.read.reset();
  log.on_time(at(1000));
  CHECK(log.buffered() == 4);
  CHECK(log.dropped() == 9);
  CHECK(log.next_deadline() == at(2000));
  const UniqueFd file = new_file();
  log.reopen(copy_of(file), at(1500));
  CHECK(log.dropped() == 10);
  log.append(line(60), at(1500));
  log.flush(at(1500));
  CHECK(content_of(file) == line(60));
  std::signal(SIGPIPE, before);
}

TEST_CASE("reopen writes to the old file what it takes, and the rest to the new one") {
  const UniqueFd old_file = new_file(), new_one = new_file();
  AccessLog log(copy_of(old_file), kInterval);
  log.append(line(1), at(0));
  log.reopen(copy_of(new_one), at(1));
  log.append(line(2), at(2));
  log.flush(at(3));
  CHECK(content_of(old_file) == line(1));
  CHECK(content_of(new_one) == line(2));

  const Pipe pipe = nonblocking_pipe();
  AccessLog stuck(copy_of(pipe.write), kInterval);
  for (std::size_t number = 0; number < 50; ++number) stuck.append(line(number), at(0));
  stuck.flush(at(0));
  const UniqueFd after = new_file();
  stuck.reopen(copy_of(after), at(1));
  stuck.flush(at(1));
  std::string expected;
  for (std::size_t number = 41; number < 50; ++number) expected += line(number);
  CHECK(content_of(after) == expected);
  CHECK(stuck.dropped() == 1);
}

TEST_CASE("switching a log off drops what could not be written") {
  const Pipe pipe = nonblocking_pipe();
  AccessLog log(copy_of(pipe.write), kInterval);
  for (std::size_t number = 0; number < 50; ++number) log.append(line(number), at(0));
  log.reopen(UniqueFd(), at(0));
  CHECK_FALSE(log.enabled());
  CHECK(log.buffered() == 0);
  CHECK(log.dropped() == 10);
  CHECK_FALSE(log.next_deadline().has_value());
}

TEST_CASE("switching a log on later starts with a whole line") {
  const UniqueFd file = new_file();
  AccessLog log(UniqueFd(), kInterval);
  log.append(line(1), at(0));
  log.reopen(copy_of(file), at(0));
  log.append(line(2), at(0));
  log.flush(at(0));
  CHECK(content_of(file) == line(2));
}

}  // namespace
}  // namespace gray::stats

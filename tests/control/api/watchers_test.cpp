#include "control/api/watchers.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

Watchers::Text text_of(const std::string& text) { return std::make_shared<const std::string>(text); }

struct WatchersFixture {
  asio::io_context io;
  int left = 0;
  Seats seats{2};
  Watchers watchers{io, {.timeout = Duration{1'500}, .kernel_bytes = 4'096}, [this] { ++left; }};

  /// The end of the watcher.
  UniqueFd add(const Watchers::Text& first = nullptr) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    watchers.add(UniqueFd(ends[1]), std::make_shared<Seats::Taken>(seats), first);
    return UniqueFd(ends[0]);
  }
  bool has_place() { return static_cast<bool>(Seats::Taken(seats)); }
  static std::string received(const UniqueFd& fd) {
    std::string text(64 << 10, '\0');
    const auto n = ::recv(fd.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  static bool is_cut(const UniqueFd& fd) {
    char byte;
    return ::recv(fd.get(), &byte, 1, 0) == 0;
  }
};

}  // namespace

TEST_CASE_FIXTURE(WatchersFixture, "each watcher gets each text, a new one the last") {
  const auto one = add();
  watchers.show(text_of("a"));
  const auto two = add(text_of("a"));
  watchers.show(text_of("b"));
  CHECK(received(one) == "ab");
  CHECK(received(two) == "ab");
}

TEST_CASE_FIXTURE(WatchersFixture, "a slow watcher misses texts but never a part of one, and delays nobody") {
  const auto slow = add(), quick = add();
  const std::string first(300'000, 'a');
  watchers.show(text_of(first));
  std::string got = received(quick);
  for (const char* next : {"b", "c", "d"}) watchers.show(text_of(next));
  std::string late = received(slow);
  for (int turn = 0; turn < 100'000 && (late.size() < first.size() + 1 || got.size() < first.size() + 1); ++turn) {
    io.poll();
    late += received(slow);
    got += received(quick);
  }
  CHECK(late == first + "d");
  CHECK(got == first + "d");
}

TEST_CASE_FIXTURE(WatchersFixture, "a watcher that does not read is cut off, the others stay") {
  const auto silent = add(), reader = add();
  constexpr std::size_t kLong = 128 << 10;  // more than the kernel takes for a watcher
  watchers.show(text_of(std::string(kLong, 'x')));
  const auto until = Clock::now() + Duration{20'000};
  std::size_t read = 0;
  while (read < kLong && Clock::now() < until) {
    io.poll();
    read += received(reader).size();
  }
  REQUIRE(read == kLong);
  while (left == 0 && Clock::now() < until && !has_place()) io.run_for(Duration{5});
  while (!received(silent).empty()) continue;
  CHECK(is_cut(silent));
  CHECK_FALSE(watchers.empty());
  CHECK(left == 0);
  watchers.show(text_of("more"));
  CHECK(received(reader) == "more");
}

TEST_CASE_FIXTURE(WatchersFixture, "who leaves gives the place back, and the last one is reported") {
  auto one = add(), two = add();
  CHECK_FALSE(has_place());
  one.reset();
  io.poll();
  CHECK(has_place());
  CHECK(left == 0);
  two.reset();
  io.poll();
  CHECK(left == 1);
  CHECK(watchers.empty());
  watchers.show(text_of("nobody"));
}

TEST_CASE_FIXTURE(WatchersFixture, "a watcher may say little, and nothing of it counts") {
  const auto fd = add();
  send_text(fd.get(), "GET /");
  io.poll();
  CHECK_FALSE(watchers.empty());
  for (int i = 0; i < 40; ++i) {
    send_text(fd.get(), std::string(1'000, 'x'));
    io.poll();
  }
  CHECK(watchers.empty());
}

TEST_CASE_FIXTURE(WatchersFixture, "all can be closed") {
  const auto one = add(text_of("a")), two = add();
  watchers.close_all();
  CHECK(watchers.empty());
  CHECK(received(one) == "a");
  CHECK(is_cut(one));
  CHECK(is_cut(two));
}

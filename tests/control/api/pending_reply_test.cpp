#include "control/api/pending_reply.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <optional>

#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

bool readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

struct PendingReplyFixture {
  FakeDaemon daemon;
  FakeDaemon::Done done;

  PendingReplyFixture() {
    daemon.take = [this](FakeDaemon::Done when_done) { done = std::move(when_done); };
  }
};

}  // namespace

TEST_CASE_FIXTURE(PendingReplyFixture,
                  "after a reply the descriptor stays readable, and the reply can be read more than once") {
  const TimePoint begin = Clock::now();
  const PendingReply reply(daemon, "status", nlohmann::json::object());
  CHECK_FALSE(reply.ready());
  CHECK_FALSE(readable(reply.fd()));
  done({.code = ExitCode::ok, .body = {{"x", 1}}, .error = {}});
  CHECK(readable(reply.fd()));
  CHECK(readable(reply.fd()));
  REQUIRE(reply.ready());
  CHECK(reply.get().body["x"] == 1);
  CHECK(reply.get().body["x"] == 1);
  CHECK(reply.came_at() >= begin);
}

TEST_CASE_FIXTURE(PendingReplyFixture, "a dropped call makes the descriptor readable and is reported") {
  const PendingReply reply(daemon, "status", nlohmann::json::object());
  done = nullptr;
  CHECK(readable(reply.fd()));
  REQUIRE(reply.ready());
  CHECK_THROWS_AS(reply.get(), std::future_error);
  CHECK(reply.came_at() == TimePoint{});
}

TEST_CASE_FIXTURE(PendingReplyFixture, "a reply after the caller has gone has no effect") {
  {
    const PendingReply reply(daemon, "status", nlohmann::json::object());
  }
  CHECK_NOTHROW(done({}));
}

TEST_CASE("verb and arguments reach the daemon, and its exceptions reach the caller") {
  FakeDaemon daemon;
  const PendingReply reply(daemon, "shift", {{"service", "web"}});
  CHECK(reply.get().body == nlohmann::json{{"verb", "shift"}, {"args", {{"service", "web"}}}});
  daemon.answer = [](auto&&...) -> Reply { throw std::runtime_error("out of luck"); };
  CHECK(error_of([&] { PendingReply(daemon, "status", nlohmann::json::object()); }) == "out of luck");
}

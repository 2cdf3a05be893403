#include "router/policy/retry.hpp"

#include <doctest/doctest.h>

namespace gray::policy {
namespace {

using segment::Decision;
using segment::Reason;

Attempt refused() {
  Attempt attempt;
  attempt.failure = Reason::connect_failed;
  return attempt;
}

Attempt closed_after(http::Method method) {
  Attempt attempt;
  attempt.method = method;
  attempt.request_sent = true;
  attempt.failure = Reason::upstream_closed;
  return attempt;
}

TEST_CASE("a request that was not sent is repeated once, whatever its method") {
  Attempt attempt = refused();
  CHECK(judge(attempt) == Retry::same_version);
  attempt.method = http::Method::post;
  CHECK(judge(attempt) == Retry::same_version);
  attempt.failure = Reason::connect_timeout;
  CHECK(judge(attempt) == Retry::same_version);
  attempt.retries = 1;
  CHECK(judge(attempt) == Retry::no);
}

TEST_CASE("a request that was sent is repeated only if its method is idempotent (P25)") {
  for (const auto method : {http::Method::get, http::Method::head, http::Method::put, http::Method::delete_,
                            http::Method::options, http::Method::trace}) {
    CHECK(judge(closed_after(method)) == Retry::same_version);
  }
  for (const auto method : {http::Method::post, http::Method::patch, http::Method::connect, http::Method::other}) {
    CHECK(judge(closed_after(method)) == Retry::no);
  }
}

TEST_CASE("a response timeout is not repeated, except of a withdrawn version, on stable") {
  Attempt attempt = closed_after(http::Method::get);
  attempt.failure = Reason::response_timeout;
  for (const Decision decision : {Decision::bucket, Decision::rule, Decision::allowlist}) {
    attempt.decision = decision;
    attempt.withdrawn = false;
    CHECK(judge(attempt) == Retry::no);
    attempt.withdrawn = true;
    CHECK(judge(attempt) == Retry::on_stable);
  }
  attempt.method = http::Method::post;
  CHECK(judge(attempt) == Retry::no);
  for (const Decision decision : {Decision::param, Decision::header, Decision::cookie, Decision::stable}) {
    Attempt named = closed_after(http::Method::get);
    named.failure = Reason::response_timeout;
    named.decision = decision;
    named.withdrawn = true;
    CHECK(judge(named) == Retry::no);
  }
}

TEST_CASE("nothing is repeated after the first byte of the response") {
  Attempt attempt = closed_after(http::Method::get);
  attempt.response_started = true;
  CHECK(judge(attempt) == Retry::no);
}

TEST_CASE("a request whose body is no longer kept is not repeated") {
  Attempt attempt = refused();
  attempt.body_replayable = false;
  CHECK(judge(attempt) == Retry::no);
  attempt = closed_after(http::Method::put);
  attempt.body_replayable = false;
  CHECK(judge(attempt) == Retry::no);
}

TEST_CASE("a stale reuse of a repeatable request does not use up the one retry") {
  Attempt attempt = closed_after(http::Method::get);
  attempt.reused = true;
  CHECK(judge(attempt) == Retry::fresh_socket);
  attempt.retries = 1;
  CHECK(judge(attempt) == Retry::fresh_socket);
  attempt.reused = false;
  CHECK(judge(attempt) == Retry::no);
}

TEST_CASE("a stale reuse of a request that may have been carried out is not repeated") {
  Attempt attempt = closed_after(http::Method::post);
  attempt.reused = true;
  CHECK(judge(attempt) == Retry::no);
  attempt.request_sent = false;
  CHECK(judge(attempt) == Retry::fresh_socket);
}

TEST_CASE("a request that reached no program is sent again, a few times, and that is not the one retry") {
  Attempt attempt = closed_after(http::Method::post);
  attempt.request_sent = false;
  for (attempt.undelivered = 1; attempt.undelivered <= kMaxUndelivered; ++attempt.undelivered) {
    for (attempt.retries = 0; attempt.retries < 2; ++attempt.retries) CHECK(judge(attempt) == Retry::again);
  }
  attempt.retries = 0;
  CHECK(judge(attempt) == Retry::same_version);
  attempt.retries = 1;
  CHECK(judge(attempt) == Retry::no);
  attempt.undelivered = 1;
  attempt.body_replayable = false;
  CHECK(judge(attempt) == Retry::no);
}

TEST_CASE("a request is repeated on stable if its user did not ask for the version") {
  Attempt attempt = refused();
  for (const auto decision : {Decision::bucket, Decision::allowlist, Decision::rule}) {
    attempt.decision = decision;
    CHECK(judge(attempt) == Retry::on_stable);
    attempt.on_stable = true;
    CHECK(judge(attempt) == Retry::same_version);
    attempt.on_stable = false;
  }
  for (const auto decision :
       {Decision::param, Decision::header, Decision::cookie, Decision::stable, Decision::fallback}) {
    attempt.decision = decision;
    CHECK(judge(attempt) == Retry::same_version);
  }
}

TEST_CASE("only failures of the attempt itself are repeated") {
  for (int i = 0; i < static_cast<int>(Reason::count); ++i) {
    Attempt attempt;
    attempt.failure = static_cast<Reason>(i);
    const bool repeated = attempt.failure == Reason::connect_failed || attempt.failure == Reason::connect_timeout ||
                          attempt.failure == Reason::upstream_closed;
    CHECK((judge(attempt) != Retry::no) == repeated);
  }
}

}  // namespace
}  // namespace gray::policy

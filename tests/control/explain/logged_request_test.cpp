#include "control/explain/logged_request.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "tests/control/explain/log_lines.hpp"
#include "tests/control/fixture.hpp"

namespace gray::control {
namespace {

constexpr const char* kLog = "/var/log/access.log";

Reply explained(const LogSearch& search, const std::string& id = "r", const SearchBounds& bounds = {}) {
  return explain_logged(search, id, kLog, bounds);
}

}  // namespace

TEST_CASE("a line that was found is explained, decided again, and repeated as it is") {
  const auto line = test::log_line("r", "3", 20);
  const Reply reply = explained({.end = LogSearch::End::found, .file = "/x.1", .line = line.dump()});
  REQUIRE(reply.code == ExitCode::ok);
  CHECK(reply.body["schema_version"] == 1);
  CHECK(reply.body["text"] == "cookie uid → bucket 79.4 % ≥ 20 % → stable v1");
  CHECK(reply.body["replay"]["result"] == "same");
  CHECK(reply.body["logged"] == line);
  CHECK(reply.body["file"] == "/x.1");
  CHECK(reply.body["request"]["path"] == "/a");
}

TEST_CASE("a damaged line") {
  const Reply reply = explained({.end = LogSearch::End::found, .file = "/x.1", .line = R"({"request_id":"r",)"});
  CHECK(reply.code == ExitCode::failed);
  CHECK(contains(reply.error, "the line of this request in /x.1 is damaged"));
}

TEST_CASE("an id that was not found: how far the search went, and whether it can be one of grayd") {
  LogSearch search{.end = LogSearch::End::absent, .searched = 3 << 20, .oldest = "t1"};
  const std::string own(32, 'a');
  CHECK(explained(search, own).error ==
        "no request " + own +
            " in /var/log/access.log and its predecessor (3.0 MiB searched, back to t1); a line is written up to 200 "
            "ms after its answer; for an older file: grayctl why REQUEST_ID --log FILE");
  CHECK(contains(explained(search, own.substr(1)).error, "has 32 digits 0-9 a-f, this one has 31 characters"));
  CHECK(contains(explained(search, "g" + own.substr(1)).error, "this one has others"));
  search.end = LogSearch::End::bound;
  CHECK(contains(explained(search, own).error, "searched, back to t1, then the search stops)"));
  CHECK(contains(explained(search, own).error, "--log FILE"));
  CHECK(contains(explained(search, own, {.bytes = 3 << 20}).error, "to search more, on the host: grayctl why"));
}

TEST_CASE("a log that cannot be read") {
  LogSearch search{.end = LogSearch::End::failed, .file = kLog, .error = ENOENT};
  CHECK(explained(search).code == ExitCode::failed);
  CHECK(contains(explained(search).error, "cannot read the access log /var/log/access.log: No such file"));
  search.error = EACCES;
  CHECK(explained(search).code == ExitCode::denied);
  CHECK(contains(explained(search).error, "as a user who may"));
  search.error = ESPIPE;
  CHECK(contains(explained(search).error, "is not a regular file"));
}

TEST_CASE("what cannot be an id") {
  CHECK(error_in_request_id("0123") == "");
  CHECK(error_in_request_id(std::string(kLongestRequestId, 'x')) == "");
  CHECK(contains(error_in_request_id(""), "is empty"));
  CHECK(contains(error_in_request_id(std::string(kLongestRequestId + 1, 'x')), "more than 128"));
  for (const char* id : {"a b", "a\n", "\x7f"}) CHECK(contains(error_in_request_id(id), "control character"));
}

}  // namespace gray::control

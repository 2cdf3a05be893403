#include "control/commands/history_verb.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

TEST_CASE("without arguments the last 50 changes are asked for") {
  const auto question = history_question(json::object());
  CHECK(question.error.empty());
  CHECK(question.query.count == 50);
  CHECK(question.query.service.empty());
  CHECK_FALSE(question.query.since);
}

TEST_CASE("the arguments of a query are text") {
  const auto question = history_question({{"service", "web"},
                                          {"version", "v2"},
                                          {"since", "2026-11-23T17:04:45.123Z"},
                                          {"after", "7"},
                                          {"id", "9"},
                                          {"count", "1000"}});
  CHECK(question.error.empty());
  CHECK(question.query.service == "web");
  CHECK(question.query.version == "v2");
  CHECK(rfc3339(*question.query.since) == "2026-11-23T17:04:45.123Z");
  CHECK(question.query.after == 7);
  CHECK(question.query.id == 9);
  CHECK(question.query.count == 1'000);
}

TEST_CASE("wrong arguments are refused with what is right") {
  const auto error = [](const json& args) { return history_question(args).error; };
  CHECK(error({{"count", 0}}) == "count must be a whole number from 1 to 1000");
  CHECK(error({{"count", "1001"}}) == "count must be a whole number from 1 to 1000");
  CHECK(error({{"count", "99999999999999999999999"}}) == "count must be a whole number from 1 to 1000");
  CHECK(error({{"since", "yesterday"}}) == "since must be a time such as 2026-11-23T17:04:45.123Z");
  CHECK(error({{"id", "18446744073709551615"}}) == "id and after must be ids of the history");
  CHECK(error({{"service", 5}}).starts_with("history takes service"));
}

TEST_CASE("an answer has the entries and the id of the last one") {
  const auto settings = test::settings_of(test::web());
  const auto reply = history_reply({}, {json::array({{{"id", 4}}, {{"id", 9}}}), {}}, settings);
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body["schema_version"] == 1);
  CHECK(reply.body["entries"].size() == 2);
  CHECK(reply.body["last"] == 9);
  CHECK(history_reply({.after = 9}, {}, settings).body["last"] == 9);
}

TEST_CASE("no entry: an unknown id and an unknown service are errors, a removed version is not") {
  const auto settings = test::settings_of(test::web());
  CHECK(history_reply({.id = 5}, {}, settings).error == "the history has no change 5; see grayctl history");
  CHECK(history_reply({.id = 5}, {}, settings).code == ExitCode::failed);
  const auto unknown = history_reply({.service = "wbe"}, {}, settings);
  CHECK(unknown.code == ExitCode::usage);
  CHECK(unknown.error.find("did you mean \"web\"") != std::string::npos);
  CHECK(history_reply({.service = "web", .version = "v99"}, {}, settings).code == ExitCode::ok);
  CHECK(history_reply({.service = "gone"}, {json::array({{{"id", 1}}}), {}}, settings).code == ExitCode::ok);
}

TEST_CASE("a history that cannot be read is a failure with its cause") {
  const auto reply =
      history_reply({}, {json::array(), "history.db cannot be read: disk I/O error"}, test::settings_of({}));
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error == "history.db cannot be read: disk I/O error");
}

}  // namespace
}  // namespace gray::control

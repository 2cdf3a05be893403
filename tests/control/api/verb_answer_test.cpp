// What both APIs share; admin_api_test.cpp has the waiting and the time limits.
#include "control/api/verb_answer.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::control;
using nlohmann::json;

TEST_CASE("a reply is the body, or the error with its exit code") {
  httplib::Response good, bad;
  json body = json::object();
  body["x"] = "\xff";
  write_reply({ExitCode::ok, body, {}}, good);
  CHECK(good.status == 200);
  CHECK(json::parse(good.body)["schema_version"] == 1);
  write_reply(refusal(ExitCode::denied, "no"), bad);
  CHECK(bad.status == 403);
  CHECK(json::parse(bad.body) == json{{"schema_version", 1}, {"exit_code", 4}, {"error", "no"}});
}

TEST_CASE("arguments are the query, or the body of a POST") {
  httplib::Request request;
  request.params = {{"service", "web"}};
  request.body = R"({"percent":5})";
  for (const char* method : {"GET", "HEAD"}) {
    request.method = method;
    const auto args = arguments_of(request);
    CHECK(args.size() == 1);
    CHECK(args["service"] == "web");
  }
  request.method = "POST";
  CHECK(arguments_of(request)["percent"] == 5);
  request.body = "{";
  CHECK_FALSE(arguments_of(request).is_object());
  request.body = "";
  CHECK(arguments_of(request) == json::object());
}

#include "control/commands/explain_verbs.hpp"

#include <doctest/doctest.h>

#include "tests/control/commands/fake_host.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct Explaining : test::FakeHost {
  Explaining() {
    settings.access_log = "/var/log/grayd/access.log";
    settings.services[0].identity = {{IdentitySource::Kind::cookie, "uid"}};
    settings.services[0].param = "version";
    views.push_back(test::version_view("v2", {test::worker("web@v2#0", 2, true)}));
    for (const char* version : {"v1", "v2", "v3"}) rows.take("web", version);
  }
  Reply ask_why(const json& args) { return why(settings, routing_table(), args); }
  Reply ask_bucket(const json& args) { return bucket(settings, live.published(), 1, args); }
};

}  // namespace

TEST_CASE("without a request: where the access log is") {
  Explaining grayd;
  CHECK(grayd.ask_why(json::object()).body == json{{"schema_version", 1}, {"access_log", "/var/log/grayd/access.log"}});
}

TEST_CASE("a described request is decided on the table in force") {
  Explaining grayd;
  const Reply reply = grayd.ask_why({{"path", "/x"}, {"headers", "Cookie: uid=3\n"}});
  REQUIRE(reply.code == ExitCode::ok);
  CHECK(reply.body["service"] == "web");
  CHECK(reply.body["decision"] == "stable");
  CHECK(reply.body["text"] == "cookie uid=3 → bucket 79.4 % ≥ 5 % → stable v1");
  CHECK(reply.body["request"] ==
        json{{"method", "GET"}, {"host", "localhost"}, {"path", "/x"}, {"client", "127.0.0.1"}});
  CHECK(grayd.ask_why({{"path", "/?version=v2"}}).body["version"] == "v2");
  CHECK(grayd.ask_why({{"path", "/?version=v2"}}).body["version_up"] == true);
  CHECK(grayd.ask_why({{"path", "/?version=v3"}}).body["version_up"] == false);
}

TEST_CASE("a canary without a usable worker") {
  Explaining grayd;
  grayd.views.pop_back();
  grayd.settings.services[0].versions[1].weight = 100;
  const Reply reply = grayd.ask_why({{"path", "/"}, {"headers", "Cookie: uid=3"}});
  CHECK(reply.body["decision"] == "fallback");
  CHECK(reply.body["version"] == "v1");
}

TEST_CASE("errors of why") {
  Explaining grayd;
  CHECK(grayd.ask_why({{"path", 5}}).code == ExitCode::usage);
  CHECK(grayd.ask_why({{"path", "/"}, {"service", "wbe"}})
            .error.starts_with("there is no service \"wbe\", did you mean"));
  CHECK(grayd.ask_why({{"path", "/ x"}}).code == ExitCode::usage);
  CHECK(grayd.ask_why({{"path", "/"}, {"client", "x"}}).code == ExitCode::usage);
}

TEST_CASE("shares and salts of a service") {
  Explaining grayd;
  Reply reply = grayd.ask_bucket({{"service", "web"}});
  REQUIRE(reply.code == ExitCode::ok);
  CHECK(reply.body["stable"] == "v1");
  CHECK(reply.body["canary"] == "v2");
  CHECK(reply.body["weight"] == 5);
  CHECK(reply.body["table"] == 1);
  CHECK(reply.body["rules"] == 0);
  CHECK(reply.body["allowlist"] == 0);
  CHECK(reply.body["versions"] == json::array({json{{"name", "v1"}, {"weight", 95}, {"salt", "web/v1"}},
                                               json{{"name", "v2"}, {"weight", 5}, {"salt", "web/v2"}},
                                               json{{"name", "v3"}, {"weight", 0}, {"salt", "web/v3"}}}));
  grayd.live.change("web", [](ServiceState& state) {
    state.weights["v2"] = 0;
    state.salts["v2"] = "again";
  });
  reply = grayd.ask_bucket({{"service", "web"}, {"version", "v2"}});
  CHECK(reply.body["canary"].is_null());
  CHECK(reply.body["versions"][1]["salt"] == "again");
}

TEST_CASE("errors of bucket") {
  Explaining grayd;
  CHECK(grayd.ask_bucket(json::object()).error == "bucket needs service (a string), and takes version (a string)");
  CHECK(grayd.ask_bucket({{"service", "wbe"}}).code == ExitCode::usage);
  CHECK(grayd.ask_bucket({{"service", "web"}, {"version", "v9"}}).error.find("\"v9\"") != std::string::npos);
}

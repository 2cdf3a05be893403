#include "control/grayctl/why/bucket.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "router/policy/decision.hpp"
#include "tests/control/grayctl/served.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

/// Buckets under web/v2: 1 is at 15.0 %, 2 at 19.8 %, 3 at 79.4 %, 77 at 15.7 %.
struct BucketServed : Served {
  json state = {{"schema_version", 1}, {"service", "web"}, {"stable", "v1"},           {"canary", "v2"},
                {"weight", 20.0},      {"table", 3},       {"versions", json::array()}};
  json seen;
  std::string salt;
  BucketServed() {
    for (const char* name : {"v1", "v2", "v3"})
      state["versions"].push_back({{"name", name}, {"weight", 0}, {"salt", std::string("web/") + name}});
    daemon.answer = [this](const std::string& verb, const json& args) {
      seen = {verb, args};
      return Reply{.code = ExitCode::ok, .body = state, .error = {}};
    };
  }
  struct Ran {
    Printed printed;
    std::string out;
    json body() const { return json::parse(out); }
  };
  Ran run(std::vector<std::string> ids, std::optional<double> weight = {}, const std::string& text = "",
          bool list = false, bool as_json = false, const std::string& version = "") {
    Command command;
    command.service = "web";
    command.version = version;
    command.bucket = {.ids = std::move(ids), .weight = weight, .salt = salt, .list = list};
    if (!text.empty()) {
      command.file = dir / "ids";
      write_file(command.file, text);
    }
    return run(command, as_json);
  }
  Ran run(const Command& command, bool as_json = false) {
    std::ostringstream out;
    Printed printed = run_bucket(client, command, as_json, out);
    return {std::move(printed), out.str()};
  }
};

TEST_CASE("users on the command line: their buckets, and where they are and would be") {
  BucketServed served;
  const auto ran = served.run({"1", "3", "77"}, 15.5);
  CHECK(ran.printed.answer.code == ExitCode::ok);
  CHECK(served.seen == json{"bucket", {{"service", "web"}}});
  CHECK(ran.out ==
        "     BUCKET  NOW  AT 15.5 %  USER\n"
        " 14.99533 %  v2   v2         1\n"
        " 79.37101 %  v1   v1         3\n"
        " 15.65335 %  v2   v1         77\n");
  CHECK(served.run({"1"}).out == "     BUCKET  NOW  USER\n 14.99533 %  v2   1\n");
}

TEST_CASE("a file: the sum, and who moves; with --list every user") {
  BucketServed served;
  CHECK(served.run({}, 15.5, "1\r\n\n2\n3\n77").out ==
        "web: 4 users, salt web/v2\n"
        "  now       v1          1 users, 25.000 %\n"
        "  now       v2          3 users, 75.000 %\n"
        "  at 15.5 % v1          3 users, 75.000 %\n"
        "  at 15.5 % v2          1 users, 25.000 %\n"
        "  0 users get v2\n"
        "  2 users lose v2: 2, 77\n");
  const auto more = served.run({}, 80, "1\n3\n");
  CHECK(contains(more.out, "  1 users get v2: 3\n  0 users lose v2\n"));
  CHECK(contains(served.run({}, 80, "1\n3\n", true).out, " 79.37101 %  v1   v2       3\n\nweb: 2 users"));
  CHECK_FALSE(contains(served.run({}, {}, "1\n").out, "get v2"));
}

TEST_CASE("JSON: users only if asked for, the sum always") {
  BucketServed served;
  const json sum = served.run({}, 50, "1\n3\n", false, true).body();
  CHECK_FALSE(sum.contains("ids"));
  CHECK(sum["schema_version"] == 1);
  CHECK(sum["version"] == "v2");
  CHECK(sum["salt"] == "web/v2");
  CHECK(sum["planned"] == 50);
  CHECK(sum["summary"]["users"] == 2);
  CHECK(sum["summary"]["now"] == json{{"v1", 1}, {"v2", 1}});
  CHECK(sum["summary"]["joins"] == json{{"users", 0}, {"examples", json::array()}});
  const json list = served.run({"1", "3"}, {}, "", false, true).body();
  REQUIRE(list["ids"].size() == 2);
  CHECK(list["ids"][0]["id"] == "1");
  CHECK(list["ids"][0]["now"] == "v2");
  CHECK(list["ids"][0]["planned"].is_null());
  CHECK(list["ids"][0]["bucket"].get<double>() == doctest::Approx(14.99533));
  CHECK(list["summary"]["planned"].empty());
}

TEST_CASE("a version without users: as named, or the only one; its own salt counts") {
  BucketServed served;
  const json third = served.run({"1"}, 100, "", false, true, "v3").body();
  CHECK(served.seen == json{"bucket", {{"service", "web"}, {"version", "v3"}}});
  CHECK(third["salt"] == "web/v3");
  CHECK(third["ids"][0]["now"] == "v2");
  CHECK(third["ids"][0]["planned"] == "v3");
  CHECK(third["summary"]["joins"]["users"] == 1);
  served.state["canary"] = nullptr;
  served.state["weight"] = 0;
  CHECK(served.run({"1"}, 50).printed.answer.error == "several versions could get users: name one with --version");
  CHECK(served.run({"1"}, 50, "", false, false, "v1").printed.answer.error ==
        "v1 is stable: name the version that is to get users with --version");
  served.state["versions"].erase(2);
  CHECK(served.run({"1"}, 50).out == "     BUCKET  NOW  AT 50 %  USER\n 14.99533 %  v1   v2       1\n");
  served.state["versions"].erase(1);
  const auto none = served.run({"1"}, 50);
  CHECK(none.printed.answer.error == "web has no version beside v1");
  CHECK(none.printed.answer.code == ExitCode::usage);
  CHECK(none.out.empty());
}

TEST_CASE("an allowlist and rules decide before the bucket: that is said") {
  BucketServed served;
  served.state.update({{"rules", 2}, {"allowlist", 3}});
  const std::string note = "  not counted: the allowlist (3 users) and 2 rules, which decide before the bucket\n";
  CHECK(served.run({"1"}).out.ends_with(note));
  CHECK(served.run({}, {}, "1\n").out.ends_with(note));
  CHECK(served.run({}, 50, "1\n").out.ends_with(note));
  CHECK(served.run({"1"}, {}, "", false, true).body()["rules"] == 2);
}

TEST_CASE("a salt that is planned") {
  BucketServed served;
  served.salt = "web/v9";
  const json body = served.run({"3"}, 20, "", false, true).body();
  CHECK(body["salt"] == "web/v9");
  CHECK(body["ids"][0]["now"] == "v1");
  CHECK(body["ids"][0]["bucket"].get<double>() ==
        doctest::Approx(static_cast<double>(policy::bucket_hash("web/v9", "3")) / 18446744073709551616.0 * 100));
}

TEST_CASE("errors: no users, a refusal, a file that cannot be read") {
  BucketServed served;
  Command command;
  command.service = "web";
  CHECK(served.run(command).printed.answer.code == ExitCode::usage);
  command.file = served.dir / "none";
  auto ran = served.run(command);
  CHECK(ran.printed.answer.code == ExitCode::failed);
  CHECK(contains(ran.printed.answer.error, "cannot read "));
  CHECK_FALSE(ran.printed.all);
  CHECK(ran.out.empty());
  served.daemon.answer = [](auto&&...) { return refused(ExitCode::usage, "there is no service \"wbe\""); };
  CHECK(served.run({"1"}).printed.answer.error == "there is no service \"wbe\"");
}

TEST_CASE("an error behind the first users: the JSON is complete and has it") {
  BucketServed served;
  const auto ran = served.run({}, {}, "1\n" + std::string(100'000, 'x') + "\n", true, true);
  CHECK(ran.printed.all);
  CHECK(ran.printed.answer.code == ExitCode::failed);
  CHECK(contains(ran.printed.answer.error, "line 2 of "));
  CHECK(ran.body()["exit_code"] == 1);
  CHECK(ran.body()["ids"].size() == 1);
  const auto text = served.run({}, {}, "1\n" + std::string(100'000, 'x') + "\n", true);
  CHECK_FALSE(contains(text.out, "users"));
}

TEST_CASE("more users than can be shown") {
  BucketServed served;
  std::string ids;
  for (int i = 0; i < 1000; ++i) ids += std::to_string(i) + "\n";
  CHECK(contains(served.run({}, 100, ids).out, ", ...\n"));
}

}  // namespace
}  // namespace gray::control

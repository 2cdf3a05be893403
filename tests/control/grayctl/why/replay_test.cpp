#include "control/grayctl/why/replay.hpp"

#include <doctest/doctest.h>

#include <random>

#include "tests/control/explain/log_lines.hpp"
#include "tests/control/fixture.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

struct ReplayLog {
  TempDir dir;
  std::string text;
  void add(const json& line) { text += line.dump() + "\n"; }
  Outcome run(const std::string& ids = "") {
    write_file(dir / "log", text);
    if (!ids.empty()) write_file(dir / "ids", ids);
    return run_replay(dir / "log", ids.empty() ? "" : dir / "ids");
  }
};

TEST_CASE("a log is decided again; what could not be is counted by kind") {
  ReplayLog log;
  for (int user = 0; user < 100; ++user)
    log.add(test::log_line("r" + std::to_string(user), std::to_string(user), user % 3 * 30.0, user % 2 == 0));
  json refused = test::log_line("r", "1", 20);
  refused.update({{"decision", ""}, {"service", ""}});
  log.add(refused);
  json older = test::log_line("r", "1", 20);
  older.erase("stable");
  older.erase("canary");
  log.add(older);
  log.text += "{\"time\":\"cut\n\n";
  const Outcome outcome = log.run();
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.end == ExitCode::ok);
  const json& report = outcome.answer.body;
  CHECK(report["lines"] == 103);
  CHECK(report["replayed"] == 100);
  CHECK(report["mismatches"] == 0);
  CHECK(report["decisions"]["stable"].get<int>() + report["decisions"]["bucket"].get<int>() +
            report["decisions"]["fallback"].get<int>() ==
        100);
  CHECK(report["not_replayed"] == json{{"damaged", 1}, {"older", 1}, {"no-service", 1}, {"unknown-decision", 0}});
  CHECK(report["ids"].is_null());
  CHECK(outcome.text.starts_with("100 of 103 lines decided again: 0 mismatches\n  bucket "));
  for (const char* row : {"\n  1 are damaged\n", "\n  1 are of an older grayd, which did not log all facts\n",
                          "\n  1 reached no service, so nothing was decided\n"})
    CHECK(contains(outcome.text, row));
}

TEST_CASE("mismatches: all are counted, the first ten are shown with their line") {
  ReplayLog log;
  for (int user = 0; user < 30; ++user) {
    json line = test::log_line("r" + std::to_string(user), std::to_string(user), 50);
    if (user % 2 == 1) line["version"] = line["version"] == "v1" ? "v2" : "v1";
    log.add(line);
  }
  const Outcome outcome = log.run();
  CHECK(outcome.answer.code == ExitCode::ok);
  CHECK(outcome.end == ExitCode::failed);
  CHECK(outcome.answer.body["mismatches"] == 15);
  REQUIRE(outcome.answer.body["first"].size() == 10);
  CHECK(outcome.answer.body["first"][1]["line"] == 4);
  CHECK(outcome.answer.body["first"][1]["request_id"] == "r3");
  CHECK(contains(outcome.text, "\n  line 4, request r3: version \"v"));
  CHECK(outcome.text.ends_with("\n  and 5 more\n"));
}

TEST_CASE("with a list of users, salt and identity are checked, too") {
  ReplayLog log;
  for (int user = 0; user < 20; ++user) log.add(test::log_line("r", std::to_string(user), 50));
  std::string ids;
  for (int user = 5; user < 20; ++user) ids += std::to_string(user) + "\r\n\n";
  CHECK(log.run(ids).answer.body["ids"] == json{{"ids", 15}, {"known", 15}, {"unknown", 5}});
  json changed = test::log_line("r", "7", 50);
  changed["salt"] = "web/v3";
  log.add(changed);
  const Outcome outcome = log.run(ids);
  CHECK(outcome.answer.body["ids"] == json{{"ids", 15}, {"known", 15}, {"unknown", 6}});
  CHECK(contains(outcome.text, "  of 15 ids: 15 hashes computed again, 6 of other users\n"));
}

TEST_CASE("users are known under a bounded number of salts") {
  KnownUsers users;
  users.add("7");
  CHECK(users.size() == 1);
  for (std::size_t i = 0; i < KnownUsers::kMostSalts; ++i) {
    const std::string salt = "s" + std::to_string(i);
    CHECK(users.takes(salt));
    CHECK(users.has(salt, policy::bucket_hash(salt, "7")));
    CHECK_FALSE(users.has(salt, policy::bucket_hash(salt, "8")));
  }
  CHECK(users.takes("s0"));
  CHECK_FALSE(users.takes("one more"));
}

TEST_CASE("files that cannot be read, or are not a log") {
  ReplayLog log;
  CHECK(run_replay(log.dir / "none", "").answer.error ==
        "cannot read " + (log.dir / "none") + ": No such file or directory");
  CHECK(run_replay(log.dir / "none", "").answer.code == ExitCode::failed);
  log.text = "not a log\n";
  CHECK(contains(log.run().answer.error, "has no decision that can be made again; is it an access log?"));
  log.add(test::log_line("r", "1", 50));
  log.run();
  CHECK(contains(run_replay(log.dir / "log", log.dir / "none").answer.error, "cannot read "));
  CHECK(run_replay("x", "x").answer.code == ExitCode::usage);
}

/// A change of one member to what another line of the log could have.
json mutated(json line, std::mt19937& random) {
  const auto other = [&](const char* name, std::initializer_list<json> values) {
    const json before = line[name];
    while (line[name] == before) line[name] = values.begin()[random() % values.size()];
  };
  switch (random() % 6) {
    case 0: other("version", {"v1", "v2", "v3"}); break;
    case 1: other("decision", {"bucket", "stable", "fallback"}); break;
    case 2: other("fallback", {true, false}); break;
    case 3: line["identity_source"] = nullptr; break;
    case 4: other(line["version"] == "v1" ? "stable" : "canary", {"v1", "v2", "v3"}); break;
    case 5: other("threshold", {line["decision"] == "stable" ? "all" : "0000000000000001"}); break;
  }
  return line;
}

TEST_CASE("of 20000 decisions none differs, and each of them that is changed does") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  LogReplay good(nullptr), bad(nullptr);
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    const json line =
        test::log_line("r", std::to_string(random()), static_cast<double>(random() % 101), random() % 4 != 0);
    good.add(line.dump(), i);
    bad.add(mutated(line, random).dump(), i);
  }
  CHECK(good.decided() == 20'000);
  CHECK(good.mismatches() == 0);
  CHECK(bad.mismatches() == 20'000);
}

}  // namespace
}  // namespace gray::control

#include "control/commands/verbs.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "control/commands/journal.hpp"
#include "control/state/state_store.hpp"
#include "tests/control/commands/fake_host.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

/// Uses a real store on disk, whose thread posts its results.
struct VerbsFixture : test::FakeHost {
  test::Folder folder;
  std::mutex mutex;
  std::condition_variable posted;
  std::deque<std::function<void()>> loop;
  std::optional<StateStore> store{(folder.path / "state").string()};
  std::optional<StateSaver> saver{*store};
  Rollouts rollouts{*this, settings, live};
  Verbs verbs{*this, settings, live, rollouts};

  void persist(Author by, Saved then) override {
    saver->save(live.wanted(), std::move(by), [this, then = std::move(then)](const SaveEnd& end) {
      const std::lock_guard lock(mutex);
      loop.emplace_back([then, end] { then(end); });
      posted.notify_all();
    });
  }
  bool turn() {
    std::unique_lock lock(mutex);
    if (!posted.wait_for(lock, std::chrono::seconds(20), [this] { return !loop.empty(); })) return false;
    const auto task = std::move(loop.front());
    loop.pop_front();
    lock.unlock();
    task();
    return true;
  }
  Reply call(Verb verb, const json& args = json::object()) {
    return answer_to([&](Verbs::Done done) { verbs.call(verb, args, std::move(done)); });
  }
  Reply answer_to(const std::function<void(Verbs::Done)>& call) {
    std::optional<Reply> reply;
    call([&](Reply answer) { reply = std::move(answer); });
    while (!reply && turn()) {
    }
    REQUIRE(reply);
    return *reply;
  }
  Reply shift(double percent) {
    return call(Verb::shift, {{"service", "web"}, {"version", "v2"}, {"percent", percent}, {"yes", true}});
  }
  /// The state as the next grayd will load it.
  State saved() {
    store.reset();
    store.emplace((folder.path / "state").string());
    std::string warning;
    auto last = store->load(warning);
    saver.emplace(*store);
    saver->begin(last.revision);
    return last.state;
  }
  /// Makes every later save fail: a folder has the name of the temporary file.
  void break_disk() { REQUIRE(::mkdir((folder.path / "state" / "state.json.tmp").c_str(), 0700) == 0); }
};

}  // namespace

TEST_CASE_FIXTURE(VerbsFixture, "a raise is saved, published and answered") {
  CHECK(shift(25).code == ExitCode::ok);
  CHECK(published == std::vector<double>{25});
  CHECK(saved().at("web").weights.at("v2") == 25);
}

TEST_CASE_FIXTURE(VerbsFixture, "a shift that is probably a mistake needs a confirmation, and lowering none") {
  const auto asked = [&](double percent) {
    return call(Verb::shift, {{"service", "web"}, {"version", "v2"}, {"percent", percent}});
  };
  const Reply stopped = asked(25);
  CHECK(stopped.code == ExitCode::conflict);
  CHECK(stopped.body["confirm"] == "web@v2 (its users would get stable) is stopped");
  CHECK(stopped.error ==
        "web@v2 (its users would get stable) is stopped; to shift it anyway: grayctl shift web v2 25 --yes");
  views.push_back(test::version_view("v2", {test::worker("b", 1, true)}));
  CHECK(published.empty());
  CHECK(asked(0).code == ExitCode::ok);
  CHECK(asked(0.2).error ==
        "0.2 % is 1 user in 500; did you mean 20? to shift it anyway: grayctl shift web v2 0.2 --yes");
  CHECK(asked(25).code == ExitCode::ok);
  views.clear();
  CHECK(asked(10).code == ExitCode::ok);
  CHECK(asked(0).code == ExitCode::ok);
}

TEST_CASE_FIXTURE(VerbsFixture, "lowering is saved too") {
  CHECK(shift(0).code == ExitCode::ok);
  CHECK(published == std::vector<double>{0});
  CHECK(saved().at("web").weights.at("v2") == 0);
}

TEST_CASE_FIXTURE(VerbsFixture, "a raise that cannot be saved is not published") {
  break_disk();
  const auto reply = shift(25);
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error.starts_with("nothing was shifted: "));
  CHECK(published.empty());
  CHECK(live.wanted() == live.published());
}

TEST_CASE_FIXTURE(VerbsFixture, "lowering that cannot be saved is still published") {
  break_disk();
  const auto reply = shift(1);
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error.starts_with("the routers have applied it, but "));
  CHECK(published == std::vector<double>{1});
}

TEST_CASE_FIXTURE(VerbsFixture, "an abort overtakes a raise that is still being saved") {
  std::optional<Reply> raise;
  verbs.call(Verb::shift, {{"service", "web"}, {"version", "v2"}, {"percent", 50}, {"yes", true}},
             [&](Reply answer) { raise = answer; });
  CHECK(shift(0).code == ExitCode::ok);
  REQUIRE(raise);
  CHECK(raise->code == ExitCode::conflict);
  CHECK(published == std::vector<double>{0});
  CHECK(saved().at("web").weights.at("v2") == 0);
}

TEST_CASE_FIXTURE(VerbsFixture, "a slow router is named") {
  laggards = "router 77";
  const auto reply = shift(25);
  CHECK(reply.code == ExitCode::timeout);
  CHECK(reply.error == "published, but not applied in time by router 77; see grayctl status");
}

TEST_CASE_FIXTURE(VerbsFixture, "an impossible shift is refused before anything changes") {
  CHECK(call(Verb::shift, {{"service", "web"}, {"version", "v1"}, {"percent", 5}}).code == ExitCode::usage);
  CHECK(call(Verb::shift, {{"service", "web"}, {"version", "v3"}, {"percent", 5}}).code == ExitCode::conflict);
  CHECK(call(Verb::shift, {{"service", "web"}, {"version", "v2"}, {"percent", "5"}}).code == ExitCode::usage);
  CHECK(call(Verb::shift).code == ExitCode::usage);
  CHECK(published.empty());
}

TEST_CASE_FIXTURE(VerbsFixture, "health is that of the stable version") {
  CHECK(call(Verb::health).code == ExitCode::ok);
  CHECK(call(Verb::health, {{"service", "web"}}).body["healthy"] == true);
  CHECK(call(Verb::health, {{"service", "wbe"}}).code == ExitCode::usage);
  views.clear();
  const auto down = call(Verb::health);
  CHECK(down.code == ExitCode::failed);
  CHECK(down.error == "web@v1 (stable) is stopped");
  phase = Phase::starting;
  CHECK(call(Verb::health).error == "grayd is starting; web@v1 (stable) is stopped");
}

TEST_CASE_FIXTURE(VerbsFixture, "a service with users on a version that is worse than stable is not healthy") {
  canary = Verdict{.result = VerdictResult::fail, .metric = Metric::slow, .text = "it is slower"};
  const auto reply = call(Verb::health, {{"service", "web"}});
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error ==
        "web@v2 (5% of the users) is worse than stable: it is slower; to go back: grayctl shift web v2 0");
  CHECK(call(Verb::status).body["services"][0]["versions"][1]["verdict"] == "worse");
  canary->result = VerdictResult::insufficient;
  CHECK(call(Verb::health).code == ExitCode::ok);
}

TEST_CASE_FIXTURE(VerbsFixture, "memory is that of the routers or of the workers") {
  CHECK(call(Verb::memory).code == ExitCode::failed);  // no router is ready
  memory = {{.pid = 5, .state = RouterState::ready, .answered = true, .report = {}, .rss = 77}};
  CHECK(call(Verb::memory).body.at("rss_bytes") == 77);
  CHECK(call(Verb::memory, {{"of", "router"}}).body.at("rss_bytes") == 77);
  const json workers = call(Verb::memory, {{"of", "workers"}}).body.at("versions");
  REQUIRE(workers.size() == 1);
  CHECK(workers[0].at("stable") == true);
  CHECK(workers[0].at("workers")[0].at("memory_bytes") == 1'024);
  CHECK(call(Verb::memory, {{"of", "grayd"}}).code == ExitCode::usage);
  CHECK(call(Verb::memory, {{"of", 3}}).code == ExitCode::usage);
}

TEST_CASE_FIXTURE(VerbsFixture, "status and metrics always answer, but changes are refused while grayd stops") {
  is_stopping = true;
  CHECK(call(Verb::status).body["services"][0]["name"] == "web");
  CHECK(call(Verb::metrics).body["text"].get<std::string>().starts_with("# HELP grayd_requests_total"));
  CHECK(shift(5).code == ExitCode::conflict);
  CHECK(call(Verb::reload).code == ExitCode::conflict);
  is_stopping = false;
  CHECK(call(Verb::reload).code == ExitCode::ok);
  locked_by = "upgrade 3 of grayd is under way";
  CHECK(call(Verb::status).code == ExitCode::ok);
  for (const auto verb :
       {Verb::shift, Verb::reload, Verb::upgrade, Verb::start, Verb::stop, Verb::restart, Verb::drain}) {
    CHECK(Verbs::changes(verb));
    CHECK(call(verb).code == ExitCode::conflict);
    CHECK(call(verb).error == locked_by);
  }
  CHECK_FALSE(Verbs::changes(Verb::status));
}

TEST_CASE_FIXTURE(VerbsFixture, "commands are executed, and saved") {
  CHECK(call(Verb::drain, {{"service", "web"}, {"version", "v1"}}).code == ExitCode::conflict);
  CHECK(call(Verb::drain, {{"service", "web"}, {"version", "v1"}, {"yes", true}}).code == ExitCode::ok);
  REQUIRE(action);
  CHECK(*action == Action::drain);
  CHECK(saved().at("web").stopped.contains("v1"));
  is_stopping = true;
  for (const auto verb : {Verb::start, Verb::stop, Verb::restart, Verb::drain})
    CHECK(call(verb).error == "grayd is stopping; nothing can be changed any more");
}

TEST_CASE_FIXTURE(VerbsFixture, "a refusal because of the state names who changed the service last, and how") {
  const json args = {{"service", "web"}, {"version", "v1"}, {"peer", {{"pid", 4711}, {"uid", 1000}}}};
  CHECK(call(Verb::promote, args).error.find("the last change") == std::string::npos);
  history.push_back({.service = "web", .version = "v1", .what = "promote", .actor = "pid 12, uid 0"});
  history.back().time = WallTime(std::chrono::milliseconds(1'764'550'000'123));
  const auto reply = call(Verb::promote, args);
  CHECK(reply.code == ExitCode::conflict);
  CHECK(reply.error.ends_with("; the last change of web: promote v1 (2025-12-01T00:46:40.123Z, by pid 12, uid 0)"));
  CHECK(call(Verb::promote, {{"service", "api"}, {"version", "v1"}}).error.find("last change") == std::string::npos);
}

TEST_CASE_FIXTURE(VerbsFixture, "a deploy whose rollout cannot start is reported, recorded, and says so") {
  settings.services[0].release.emplace();
  settings.services[0].release->form.command = {"node", "server.js"};
  settings.services[0].versions[1].weight = 0;
  const json args = {{"service", "web"}, {"version", "43"}, {"rollout", true}, {"peer", {{"pid", 4711}, {"uid", 0}}}};
  std::optional<Reply> reply;
  verbs.call(Verb::deploy, args, [&](Reply answer) { reply = std::move(answer); });
  live.change("web", [](ServiceState& web) { web.weights["v2"] = 20; });  // meanwhile
  while (!reply && turn()) {
  }
  REQUIRE(reply);
  CHECK(reply->code == ExitCode::conflict);
  CHECK(reply->error.starts_with("43 is deployed and has no users, but its rollout was not started: v2 already has"));
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == EventKind::deployed);
  CHECK(events[0].version == "43");
  REQUIRE(history.size() == 1);
  CHECK(history[0].what == "deploy");
  CHECK(history[0].actor == "pid 4711, uid 0");
}

TEST_CASE_FIXTURE(VerbsFixture, "a shift by a caller inside grayd is the same as by the verb") {
  const auto shifted = [&](const char* version, double percent) {
    return answer_to(
        [&](Verbs::Done done) { verbs.shift({"web", version, percent, true}, "uid 7, pid 8", std::move(done)); });
  };
  CHECK(shifted("v2", 25).code == ExitCode::ok);
  CHECK(published == std::vector<double>{25});
  CHECK(shifted("v9", 5).code == ExitCode::usage);
  locked_by = "upgrade 3 of grayd is under way";
  CHECK(shifted("v2", 5).error == locked_by);
  is_stopping = true;
  CHECK(shifted("v2", 5).error == "grayd is stopping; nothing can be changed any more");
  CHECK(published.size() == 1);
}

TEST_CASE("every verb of the table that grayd answers has one handler, and no other verb has one") {
  for (const auto& row : verb_table()) {
    CAPTURE(row.name);
    const bool history = row.verb == Verb::history;  // grayd/history answers it, by history_verb
    const int handlers = Verbs::knows(row.verb) + Journal::knows(row.verb) + history;
    CHECK(handlers == (row.by == AnsweredBy::grayd ? 1 : 0));
  }
}

TEST_CASE_FIXTURE(VerbsFixture, "a verb without a handler is a usage error") {
  CHECK(call(Verb::plan).code == ExitCode::usage);
  CHECK(call(Verb::plan).error == "unknown verb \"plan\"; see grayctl --help");
  CHECK(call(Verb::events).code == ExitCode::usage);
}

#include "grayd/verbs.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <optional>

#include "grayd/journal.hpp"
#include "tests/grayd/settings_support.hpp"
#include "tests/grayd/temp_folder.hpp"

using namespace gray;
using namespace gray::master;
using control::Reply;
using control::Verb;
using nlohmann::json;

namespace {

struct VerbsFixture {
  asio::io_context io;
  test::Folder folder;
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  LiveState live{{}};
  std::optional<control::StateStore> store{(folder.path / "state").string()};
  std::vector<VersionView> views = {test::version_view("v1", {test::worker("web@v1#0", 1, true)})};
  std::string phase = "serving", laggards;
  bool stopping = false;
  std::string locked;
  std::optional<Ordered> ordered_last;
  std::vector<double> published;  // weight of v2 at each publication
  Verbs verbs{parts()};

  Verbs::Parts parts() {
    return {io,
            settings,
            live,
            *store,
            [this](std::function<void(std::string)> applied) {
              published.push_back(shares_of(settings.services[0], live.published()).weight);
              applied(laggards);
            },
            [this](std::function<void(std::string)> settled) { settled(laggards); },
            [] { return Reply{ExitCode::ok, {{"schema_version", 1}, {"changes", json::array()}}, {}}; },
            [this](const std::function<void(const ReportSource&)>& reader) {
              reader({settings, live.published(), views, rows, *segment, {}, test::a_kilobyte, {}, 1, phase, 1, 41});
            },
            [this] { return stopping; },
            [this](const Ordered& ordered) { return ordered_last = ordered, 0u; },
            [](const json& args) { return Reply{ExitCode::ok, {{"upgrade", args}}, {}}; },
            [this] { return locked; }};
  }
  Reply call(Verb verb, const json& args = json::object()) {
    return answer_to([&](Verbs::Done done) { verbs.call(verb, args, std::move(done)); });
  }
  Reply answer_to(const std::function<void(Verbs::Done)>& call) {
    std::optional<Reply> reply;
    call([&](Reply answer) { reply = std::move(answer); });
    const auto deadline = Clock::now() + Duration{20'000};
    while (!reply && Clock::now() < deadline) {
      io.restart();
      io.run_one_for(Duration{20});
    }
    REQUIRE(reply);
    return *reply;
  }
  Reply shift(double percent) {
    return call(Verb::shift, {{"service", "web"}, {"version", "v2"}, {"percent", percent}});
  }
  /// The state as the next grayd will find it.
  control::State saved() {
    store.reset();
    store.emplace((folder.path / "state").string());
    std::string warning;
    return store->load(warning);
  }
  /// Makes every later save fail: the name of the temporary file is taken by a folder.
  void break_disk() { REQUIRE(::mkdir((folder.path / "state" / "state.json.tmp").c_str(), 0700) == 0); }
};

}  // namespace

TEST_CASE_FIXTURE(VerbsFixture, "a raise is persisted, published and answered") {
  CHECK(shift(25).code == ExitCode::ok);
  CHECK(published == std::vector<double>{25});
  CHECK(saved().at("web").weights.at("v2") == 25);
}

TEST_CASE_FIXTURE(VerbsFixture, "lowering is persisted too") {
  CHECK(shift(0).code == ExitCode::ok);
  CHECK(published == std::vector<double>{0});
  CHECK(saved().at("web").weights.at("v2") == 0);
}

TEST_CASE_FIXTURE(VerbsFixture, "a raise that the disk refuses is not published") {
  break_disk();
  const auto reply = shift(25);
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error.starts_with("nothing was shifted: "));
  CHECK(published.empty());
  CHECK(live.wanted() == live.published());
}

TEST_CASE_FIXTURE(VerbsFixture, "lowering that the disk refuses is published all the same") {
  break_disk();
  const auto reply = shift(1);
  CHECK(reply.code == ExitCode::failed);
  CHECK(reply.error.starts_with("the routers have applied it, but "));
  CHECK(published == std::vector<double>{1});
}

TEST_CASE_FIXTURE(VerbsFixture, "an abort overtakes a raise that still waits for the disk") {
  std::optional<Reply> raise;
  verbs.call(Verb::shift, {{"service", "web"}, {"version", "v2"}, {"percent", 50}},
             [&](Reply answer) { raise = answer; });
  CHECK(shift(0).code == ExitCode::ok);
  REQUIRE(raise);
  CHECK(raise->code == ExitCode::conflict);
  CHECK(published == std::vector<double>{0});
  CHECK(saved().at("web").weights.at("v2") == 0);
}

TEST_CASE_FIXTURE(VerbsFixture, "a router that lags is named") {
  laggards = "router 77";
  const auto reply = shift(25);
  CHECK(reply.code == ExitCode::timeout);
  CHECK(reply.error == "published, but not applied in time by router 77; see grayctl status");
}

TEST_CASE_FIXTURE(VerbsFixture, "what cannot be shifted is refused before anything changes") {
  CHECK(call(Verb::shift, {{"service", "web"}, {"version", "v1"}, {"percent", 5}}).code == ExitCode::usage);
  CHECK(call(Verb::shift, {{"service", "web"}, {"version", "v3"}, {"percent", 5}}).code == ExitCode::conflict);
  CHECK(call(Verb::shift, {{"service", "web"}, {"version", "v2"}, {"percent", "5"}}).code == ExitCode::usage);
  CHECK(call(Verb::shift).code == ExitCode::usage);
  CHECK(published.empty());
}

TEST_CASE_FIXTURE(VerbsFixture, "health is the stable version's") {
  CHECK(call(Verb::health).code == ExitCode::ok);
  CHECK(call(Verb::health, {{"service", "web"}}).body["healthy"] == true);
  CHECK(call(Verb::health, {{"service", "wbe"}}).code == ExitCode::usage);
  views.clear();
  const auto down = call(Verb::health);
  CHECK(down.code == ExitCode::failed);
  CHECK(down.error == "web@v1 (stable) is stopped");
  phase = "starting";
  CHECK(call(Verb::health).error == "grayd is starting; web@v1 (stable) is stopped");
}

TEST_CASE_FIXTURE(VerbsFixture, "status and metrics always answer, changes not while grayd stops") {
  stopping = true;
  CHECK(call(Verb::status).body["services"][0]["name"] == "web");
  CHECK(call(Verb::metrics).body["text"].get<std::string>().starts_with("# HELP grayd_requests_total"));
  CHECK(shift(5).code == ExitCode::conflict);
  CHECK(call(Verb::reload).code == ExitCode::conflict);
  stopping = false;
  CHECK(call(Verb::reload).code == ExitCode::ok);
  locked = "upgrade 3 of grayd is under way";
  CHECK(call(Verb::status).code == ExitCode::ok);
  for (const auto verb :
       {Verb::shift, Verb::reload, Verb::upgrade, Verb::start, Verb::stop, Verb::restart, Verb::drain}) {
    CHECK(Verbs::changes(verb));
    CHECK(call(verb).code == ExitCode::conflict);
    CHECK(call(verb).error == locked);
  }
  CHECK_FALSE(Verbs::changes(Verb::status));
}

TEST_CASE_FIXTURE(VerbsFixture, "orders go to the versions, and are remembered") {
  CHECK(call(Verb::drain, {{"service", "web"}, {"version", "v1"}}).code == ExitCode::conflict);
  CHECK(call(Verb::drain, {{"service", "web"}, {"version", "v1"}, {"yes", true}}).code == ExitCode::ok);
  REQUIRE(ordered_last);
  CHECK(ordered_last->order == Order::drain);
  CHECK(saved().at("web").stopped.contains("v1"));
  stopping = true;
  for (const auto verb : {Verb::start, Verb::stop, Verb::restart, Verb::drain})
    CHECK(call(verb).error == "grayd is stopping; nothing can be changed any more");
}

TEST_CASE_FIXTURE(VerbsFixture, "a shift by a caller inside grayd is the verb's") {
  const auto shifted = [&](const char* version, double percent) {
    return answer_to([&](Verbs::Done done) { verbs.shift("web", version, percent, std::move(done)); });
  };
  CHECK(shifted("v2", 25).code == ExitCode::ok);
  CHECK(published == std::vector<double>{25});
  CHECK(shifted("v9", 5).code == ExitCode::usage);
  locked = "upgrade 3 of grayd is under way";
  CHECK(shifted("v2", 5).error == locked);
  stopping = true;
  CHECK(shifted("v2", 5).error == "grayd is stopping; nothing can be changed any more");
  CHECK(published.size() == 1);
}

TEST_CASE("every verb of the table that grayd answers has one handler, and no other has any") {
  for (const auto& row : control::verb_table()) {
    CAPTURE(row.name);
    const int handlers = Verbs::knows(row.verb) + Journal::knows(row.verb);
    CHECK(handlers == (row.by == control::AnsweredBy::grayd ? 1 : 0));
  }
}

TEST_CASE_FIXTURE(VerbsFixture, "a verb without a handler is a usage error") {
  CHECK(call(Verb::rollout).code == ExitCode::usage);
  CHECK(call(Verb::rollout).error == "grayd knows no verb \"rollout\"; see grayctl --help");
  CHECK(call(Verb::events).code == ExitCode::usage);
}

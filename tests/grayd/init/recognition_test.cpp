#include "grayd/init/recognition.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/grayd/init/projects.hpp"

using namespace gray::init;
using gray::test::program_file;
using gray::test::project_of;
using gray::test::unreadable;
using Words = std::vector<std::string>;

namespace {

bool mentions(const std::vector<std::string>& lines, const std::string& part) {
  return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(part) != line.npos; });
}

struct Layout {
  const char* name;
  Project project;
  const char* kind;
  Words command;
  PortFrom port;
};

const Words kGunicorn = {"sh", "-c", R"(exec gunicorn --bind "$HOST:$PORT" shop.wsgi:application)"};

std::vector<Layout> layouts() {
  const auto in = PortFrom::environment, by = PortFrom::argument;
  const std::string express = R"({"scripts": {"start": "ts-node src"}, "dependencies": {}})";
  return {
      {"npm, node",
       project_of({{"package.json", R"({"scripts": {"start": "node a.js"}})"}}),
       "npm",
       {"node", "a.js"},
       in},
      {"npm, another program", project_of({{"package.json", express}}), "npm", {"npm", "start"}, in},
      {"yarn", project_of({{"package.json", express}, {"yarn.lock", ""}}), "yarn", {"yarn", "start"}, in},
      {"pnpm", project_of({{"package.json", express}, {"pnpm-lock.yaml", ""}}), "pnpm", {"pnpm", "start"}, in},
      {"Vite",
       project_of({{"package.json", R"({"devDependencies": {"vite": "5"}})"}}),
       "Vite (preview)",
       {"sh", "-c", R"(exec node_modules/.bin/vite preview --host "$HOST" --port "$PORT" --strictPort)"},
       by},
      {"Next",
       project_of({{"package.json", R"({"scripts": {"start": "next start"}, "dependencies": {"next": "14"}})"}}),
       "Next (next start)",
       {"sh", "-c", R"(exec node_modules/.bin/next start --hostname "$HOST" --port "$PORT")"},
       by},
      {"Flask",
       project_of({{"requirements.txt", "gunicorn\n"}, {"app.py", "app = Flask(__name__)\n"}}),
       "Flask with gunicorn",
       {"sh", "-c", R"(exec gunicorn --bind "$HOST:$PORT" app:app)"},
       by},
      {"FastAPI",
       project_of({{"api/main.py", "api: FastAPI = fastapi.FastAPI()\n"}}),
       "FastAPI with uvicorn",
       {"sh", "-c", R"(exec uvicorn --host "$HOST" --port "$PORT" api.main:api)"},
       by},
      {"Django", project_of({{"manage.py", ""}, {"shop/wsgi.py", ""}}), "Django with gunicorn", kGunicorn, by},
      {"Django with pages of npm", project_of({{"manage.py", ""}, {"shop/wsgi.py", ""}, {"package.json", express}}),
       "Django with gunicorn", kGunicorn, by},
      {"puma",
       project_of({{"config.ru", ""}, {"config/puma.rb", ""}}),
       "puma",
       {"sh", "-c", R"(exec puma --bind "tcp://$HOST:$PORT")"},
       by},
      {"Rails",
       project_of({{"config.ru", ""}, {"Gemfile", "gem 'puma'"}, {"bin/rails", ""}}),
       "Rails with puma",
       {"sh", "-c", R"(exec bundle exec puma --bind "tcp://$HOST:$PORT")"},
       by},
      {"PHP", project_of({{"index.php", ""}}), "PHP (php -S)", {"sh", "-c", R"(exec php -S "$HOST:$PORT")"}, by},
      {"PHP, public",
       project_of({{"public/index.php", ""}}),
       "PHP (php -S)",
       {"sh", "-c", R"(exec php -S "$HOST:$PORT" -t public)"},
       by},
      {"a program", project_of({{"README", ""}}, {program_file("shopd")}), "executable file", {"./shopd"}, in},
      {"Procfile",
       project_of({{"Procfile", "worker: x\nweb: ./serve --port $PORT\r\n"}, {"package.json", express}}),
       "Procfile",
       {"sh", "-c", "exec ./serve --port $PORT"},
       by},
      {"Procfile, plain", project_of({{"Procfile", "web: A=1 ./serve it\n"}}), "Procfile", {"./serve", "it"}, in},
  };
}

}  // namespace

TEST_CASE("the program of a layout is recognised, and how it gets its port") {
  for (const Layout& layout : layouts()) {
    CAPTURE(layout.name);
    const auto found = recognise(layout.project);
    REQUIRE(found.plan);
    CHECK(found.plan->kind == layout.kind);
    CHECK(found.plan->command == layout.command);
    CHECK(found.plan->port == layout.port);
    CHECK_FALSE(found.plan->reasons.empty());
    CHECK(found.looked_for.empty());
  }
}

TEST_CASE("Rails: how it gets ready, and what it needs for users") {
  const auto plan_of = [](const char* gems, bool key) {
    Project project = project_of({{"config.ru", ""}, {"Gemfile", gems}, {"bin/rails", ""}});
    if (key) project.files["config/master.key"] = {};
    return *recognise(project).plan;
  };
  const Plan plain = plan_of("gem 'puma'", true), notifies = plan_of("gem 'puma'\ngem 'sd_notify'", false);
  CHECK(plain.ready == "puma sends no message without the gem sd_notify: ready when it listens on PORT");
  CHECK(notifies.ready == "puma sends READY=1 by the gem sd_notify (notify)");
  REQUIRE(plain.notes.size() == 1);
  CHECK(plain.notes[0].starts_with("Rails runs for development unless told otherwise"));
  CHECK(plain.notes[0].ends_with(
      R"(env = { RAILS_ENV = "production", RAILS_LOG_TO_STDOUT = "1", RAILS_SERVE_STATIC_FILES = "1" })"));
  REQUIRE(notifies.notes.size() == 1);
  CHECK(notifies.notes[0].ends_with(R"(, SECRET_KEY_BASE = "..." })"));
}

TEST_CASE("the web line of a Procfile decides, and says so") {
  const auto plan =
      recognise(project_of({{"Procfile", "web: gunicorn a:b\n"}, {"index.php", ""}, {"manage.py", ""}})).plan;
  REQUIRE(plan);
  CHECK(mentions(plan->reasons, "web: line, which decides"));
  CHECK(mentions(plan->reasons, "index.php is here, too"));
  CHECK(plan->ready.find("notify") != std::string::npos);
}

TEST_CASE("PHP is ended by INT, and a Procfile that listens on every interface has a note") {
  CHECK(recognise(project_of({{"index.php", ""}})).plan->stop_signal == "INT");
  CHECK(mentions(recognise(project_of({{"Procfile", "web: x --bind 0.0.0.0:$PORT"}})).plan->notes, "$HOST"));
}

TEST_CASE("an empty folder: every kind is named") {
  const auto found = recognise(project_of({}));
  CHECK_FALSE(found.plan);
  for (const char* name : {"Procfile", "package.json", "manage.py", "config.ru", "index.php", "requirements.txt",
                           "pyproject.toml", "an executable file"}) {
    CAPTURE(name);
    CHECK(mentions(found.looked_for, name));
  }
}

TEST_CASE("what is there and not enough is named with the remedy") {
  struct Broken {
    Project project;
    const char* line;
  };
  const Broken all[] = {
      {project_of({{"package.json", "{\n  \"scripts\": }"}}), "package.json: it is not valid JSON at 2:14"},
      {project_of({{"package.json", ""}}), "package.json: it is not valid JSON at 1:1"},
      {project_of({{"package.json", "[]"}}), "package.json: it is not a JSON object"},
      {project_of({{"package.json", "{}"}}), "package.json: it has no start script: add"},
      {project_of({{"package.json", R"({"scripts": {"start": 1}})"}}), "it has no start script"},
      {project_of({{"package.json", R"({"scripts": []})"}}), "it has no start script"},
      {project_of({}, {unreadable("package.json")}), "package.json: it cannot be read: Permission denied"},
      {project_of({}, {unreadable("Procfile")}), "Procfile: it cannot be read: Permission denied"},
      {project_of({{"Procfile", "worker: x\n"}}), "Procfile: it has no web: line"},
      {project_of({{"Procfile", "web:  \n"}}), "Procfile: its web: line is empty"},
      {project_of({{"Gemfile", ""}}), "config.ru: it is missing beside Gemfile"},
      {project_of({{"manage.py", ""}}), "manage.py: no folder beside it has a wsgi.py"},
      {project_of({{"pyproject.toml", "uvicorn"}}), "pyproject.toml: it names uvicorn, but no file has"},
      {project_of({}, {program_file("a"), program_file("b")}), "there are 2, among them a and b"},
  };
  for (const Broken& broken : all) {
    CAPTURE(broken.line);
    const auto found = recognise(broken.project);
    CHECK_FALSE(found.plan);
    CHECK(mentions(found.looked_for, broken.line));
  }
}

TEST_CASE("a package.json that cannot be read is a note beside another program") {
  const auto plan = recognise(project_of({{"package.json", "{"}, {"index.php", ""}})).plan;
  REQUIRE(plan);
  CHECK(mentions(plan->notes, "package.json: it is not valid JSON"));
  CHECK(recognise(project_of({{"package.json", "{}"}, {"index.php", ""}})).plan->notes.size() == 1);  // PHP's own
}

TEST_CASE("of several programs the one with a usual name is taken") {
  CHECK(recognise(project_of({}, {program_file("a"), program_file("server")})).plan->command == Words{"./server"});
  CHECK(recognise(project_of({}, {program_file("a"), program_file("shop")})).plan->command == Words{"./shop"});
}

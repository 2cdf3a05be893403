#include "grayd/init/node_project.hpp"

#include <doctest/doctest.h>

#include "tests/grayd/init/projects.hpp"

using namespace gray::init;
using gray::test::project_of;
using Files = std::vector<std::pair<std::string, std::string>>;

namespace {

Plan plan_of(const std::string& package, Files others = {}) {
  others.emplace_back("package.json", package);
  const Found found = find_node(project_of(others));
  REQUIRE(found.plan);
  return *found.plan;
}

constexpr const char* kStart =
    R"({"name": "@acme/shop", "scripts": {"start": "NODE_ENV=production node ./server.js"}})";

std::string all_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("without a package.json nothing is found") { CHECK_FALSE(find_node(project_of({})).plan); }

TEST_CASE("a start script of node is run without npm, with its variables") {
  const Plan plan = plan_of(kStart);
  CHECK(plan.command == std::vector<std::string>{"node", "./server.js"});
  CHECK(plan.env.at("NODE_ENV") == "production");
  CHECK(plan.name == "@acme/shop");
}

TEST_CASE("a start script with a shell's words stays with npm") {
  CHECK(plan_of(R"({"scripts": {"start": "node a.js | tee log"}})").command ==
        std::vector<std::string>{"npm", "start"});
}

TEST_CASE("the main file shows the ready message, and whether it knows PORT") {
  const Plan good = plan_of(kStart, {{"server.js", "s.listen(process.env.PORT, () => process.send('ready'))"}});
  CHECK(good.ready.find("ipc") != std::string::npos);
  CHECK(good.notes.empty());
  const Plan fixed = plan_of(kStart, {{"server.js", "s.listen(3000)"}});
  CHECK(fixed.ready.find("no message") != std::string::npos);
  CHECK(all_of(fixed.notes).find("server.js does not mention PORT") != std::string::npos);
}

TEST_CASE("two lock files: one manager is chosen with a note, packageManager decides") {
  const Files both = {{"yarn.lock", ""}, {"package-lock.json", ""}};
  const char* script = R"({"scripts": {"start": "serve"}})";
  const Plan plan = plan_of(script, both);
  CHECK(plan.command.front() == "npm");
  CHECK(all_of(plan.notes).find("package-lock.json and yarn.lock are both here") != std::string::npos);
  CHECK(plan_of(R"({"packageManager": "yarn@4.1", "scripts": {"start": "serve"}})", both).notes.empty());
  CHECK(plan_of(R"({"packageManager": "pnpm@9", "scripts": {"start": "serve"}})", both).command.front() == "pnpm");
}

TEST_CASE("npm start without a script runs server.js") {
  CHECK(plan_of("{}", {{"server.js", ""}}).command == std::vector<std::string>{"node", "server.js"});
}

TEST_CASE("development servers are replaced or named") {
  CHECK(plan_of(R"({"scripts": {"start": "vite --open"}})").kind == "Vite (preview)");
  CHECK(plan_of(R"({"scripts": {"start": "next dev"}, "dependencies": {"next": "14"}})").kind == "Next (next start)");
  CHECK(all_of(plan_of(R"({"scripts": {"start": "nodemon a.js"}})").notes).find("nodemon") != std::string::npos);
}

TEST_CASE("a project of Next that is not built is named, also if a build has failed") {
  const char* package = R"({"scripts": {"start": "next start"}, "dependencies": {"next": "15"}})";
  const auto notes = [&](const char* file) {
    return all_of(plan_of(package, {{"node_modules/.bin/next", ""}, {file, ""}}).notes);
  };
  CHECK(notes(".next") == ".next/BUILD_ID is missing: build it first (next build)\n");
  CHECK(notes(".next/BUILD_ID").empty());
}

TEST_CASE("packages that are not installed are named") {
  const char* package = R"({"scripts": {"start": "node a.js"}, "dependencies": {"express": "4"}})";
  CHECK(all_of(plan_of(package).notes) == "node_modules is missing: install the packages first (npm install)\n");
  CHECK(plan_of(package, {{"node_modules", ""}}).notes.empty());
  CHECK(plan_of(package, {{"yarn.lock", ""}, {".pnp.cjs", ""}}).notes.empty());
}

TEST_CASE("missing packages and missing builds are named") {
  const std::string notes = all_of(plan_of(R"({"devDependencies": {"vite": "5"}})").notes);
  CHECK(notes.find("node_modules/.bin/vite is missing") != std::string::npos);
  CHECK(notes.find("dist/index.html is missing") != std::string::npos);
  CHECK(plan_of(R"({"devDependencies": {"vite": "5"}})", {{"node_modules/.bin/vite", ""}, {"dist/index.html", ""}})
            .notes.empty());
}

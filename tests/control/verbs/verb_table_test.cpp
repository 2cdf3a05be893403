#include "control/verbs/verb_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "control/grayctl/grammar.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

/// The words after "grayctl" of every verb of the grammar, including those without a function.
std::set<std::string> spoken_verbs(const CLI::App& app, const std::string& before = {}) {
  std::set<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.insert(before + verb->get_name());
    names.merge(spoken_verbs(*verb, before + verb->get_name() + " "));
  }
  return names;
}

CommandLine parsed(std::string_view verb) {
  const std::string name(verb);
  const char* const words[] = {"grayctl", name.c_str()};
  return parse_command_line(2, words);
}

}  // namespace

TEST_CASE("each verb has a row, a unique name and, if it has a function, a summary") {
  std::set<std::string_view> names;
  for (const VerbRow& row : verb_table()) {
    CAPTURE(row.name);
    CHECK(&row_of(row.verb) == &row);
    CHECK(name_of(row.verb) == row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.summary.empty() == (row.by == AnsweredBy::not_yet));
    CHECK(is_not_yet(row.name) == (row.by == AnsweredBy::not_yet));
  }
  CHECK(names.size() == static_cast<std::size_t>(Verb::count));
  CHECK_FALSE(is_not_yet("launch"));
}

TEST_CASE("only verbs of grayd change something or have arguments, and only verbs that change something give events") {
  for (const VerbRow& row : verb_table()) {
    CAPTURE(row.name);
    CHECK((row.by == AnsweredBy::grayd || (!row.changes && row.arguments.empty())));
    CHECK((row.changes || !row.event));
    for (const Argument& argument : row.arguments)
      CHECK((row.changes || argument.type == ArgumentType::text || argument.type == ArgumentType::whole));
  }
}

TEST_CASE("verbs that grayd answers are found by name") {
  for (const VerbRow& row : verb_table())
    CHECK(daemon_verb(path_name_of(row.verb)) ==
          (row.by == AnsweredBy::grayd ? std::optional(row.verb) : std::nullopt));
  for (const char* name : {"", "advance", "Status", "status ", "rollout", "rollout start"})
    CHECK_FALSE(daemon_verb(name));
  CHECK(unknown_verb("advance") == "unknown verb \"advance\"; see grayctl --help");
}

TEST_CASE("grayctl accepts every verb of the table, and reports those without a function as not supported yet") {
  const auto spoken = spoken_verbs(Grammar().app);
  for (const VerbRow& row : verb_table()) {
    CAPTURE(row.name);
    CHECK(spoken.contains(std::string(row.name)));
    if (row.by == AnsweredBy::not_yet) {
      CHECK(parsed(row.name).code == ExitCode::usage);
      CHECK(parsed(row.name).text == std::string(row.name) + " is not supported yet");
    }
  }
  for (const std::string& words : spoken)  // three of these are groups of verbs, and one an argument of its verb
    CHECK((words == "config" || words == "demo" || words == "rollout" || words == "upgrade router" ||
           std::ranges::count(verb_table(), words, &VerbRow::name)));
}

TEST_CASE("the help has the summaries of the table") {
  Grammar grammar;
  for (const VerbRow& row : verb_table()) {
    CAPTURE(row.name);
    const std::size_t space = row.name.find(' ');
    CLI::App* verb = &grammar.app;
    verb = verb->get_subcommand(std::string(row.name.substr(0, space)));
    if (space != std::string_view::npos) verb = verb->get_subcommand(std::string(row.name.substr(space + 1)));
    CHECK(verb->get_description() == row.summary);
  }
}

TEST_CASE("the required arguments of grayctl are those that grayd needs") {
  Grammar grammar;
  for (const VerbRow& row : verb_table()) {
    if (row.by != AnsweredBy::grayd || row.verb == Verb::upgrade) continue;  // the default part of an upgrade is grayd
    CAPTURE(row.name);
    std::vector<std::string> needed, given;
    for (const Argument& argument : row.arguments)
      if (argument.required) needed.emplace_back(argument.name);
    const CLI::App* verb = &grammar.app;
    for (std::string_view rest = row.name; !rest.empty();) {
      verb = verb->get_subcommand(std::string(rest.substr(0, rest.find(' '))));
      rest = rest.find(' ') == rest.npos ? "" : rest.substr(rest.find(' ') + 1);
    }
    for (const CLI::Option* option : verb->get_options())
      if (option->get_positional() && option->get_required()) given.push_back(option->get_name(true));
    for (std::string& word : given) std::ranges::transform(word, word.begin(), [](char c) { return c | 0x20; });
    CHECK(given == needed);
  }
}

TEST_CASE("missing arguments and wrong types give a message with the arguments of the verb") {
  const std::string shift =
      "shift needs service, version (strings) and percent (a number), and takes yes (true or false)";
  const json good = {{"service", "web"}, {"version", "v2"}, {"percent", 5}, {"peer", {{"pid", 1}}}};
  CHECK(arguments_error(Verb::shift, good).empty());
  for (const char* name : {"service", "version", "percent"}) {
    json args = good;
    args[name] = true;
    CHECK(arguments_error(Verb::shift, args) == shift);
    args.erase(name);
    CHECK(arguments_error(Verb::shift, args) == shift);
  }
  json order = {{"service", "web"}, {"version", "v2"}};
  CHECK(arguments_error(Verb::stop, order).empty());
  order["yes"] = true;
  CHECK(arguments_error(Verb::stop, order).empty());
  order["yes"] = "true";
  CHECK(arguments_error(Verb::stop, order) ==
        "stop needs service and version (strings), and takes yes (true or false)");
  CHECK(arguments_error(Verb::status, {{"service", 5}}).empty());
}

TEST_CASE("whole numbers may be digits, as in a query") {
  for (const json& after : {json(0), json(7), json(UINT64_MAX), json("7"), json("007")})
    CHECK(arguments_error(Verb::events, {{"after", after}}).empty());
  for (const json& after : {json(-1), json(1.5), json(""), json("-1"), json("1.5"), json(nullptr)})
    CHECK(arguments_error(Verb::events, {{"after", after}}) ==
          "events takes after, count, wait_ms (whole numbers), service and version (strings)");
  CHECK(arguments_error(Verb::health, {{"service", 5}}) == "health takes service (a string)");
}

TEST_CASE("every verb that a message, a help text or a document names exists") {
  namespace fs = std::filesystem;
  constexpr std::string_view kProgram = "grayctl ";
  std::vector<fs::path> files{fs::path(GRAY_SOURCE_DIR) / "README.md"};
  for (const char* folder : {"config", "supervisor", "router", "control", "grayd", "docs"})
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(fs::path(GRAY_SOURCE_DIR) / folder))
      if (entry.is_regular_file() && entry.path().extension() != ".hpp") files.push_back(entry.path());
  std::size_t seen = 0;
  for (const fs::path& file : files) {
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t at = text.find(kProgram); at != text.npos; at = text.find(kProgram, at + 1)) {
      const std::string_view before = std::string_view(text).substr(0, at);
      const bool ordered = std::ranges::any_of(std::array{"`", ": ", "; ", "or ", "\n  "},
                                               [&](const char* lead) { return before.ends_with(lead); });
      const std::size_t begin = at + kProgram.size();
      const std::string verb = text.substr(begin, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz", begin) - begin);
      if (!ordered || verb.empty()) continue;
      ++seen;
      CAPTURE(file);
      CAPTURE(verb);
      const auto row = std::ranges::find_if(
          verb_table(), [&](const VerbRow& one) { return one.name == verb || one.name.starts_with(verb + " "); });
      REQUIRE(row != verb_table().end());
      CHECK(row->by != AnsweredBy::not_yet);
    }
  }
  CHECK(seen > 50);
}

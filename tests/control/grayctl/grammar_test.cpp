#include "control/grayctl/grammar.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

/// The program and all its verbs, including nested ones, but not those without a function.
std::vector<CLI::App*> everything(CLI::App& app) {
  std::vector<CLI::App*> all{&app};
  for (CLI::App* verb : app.get_subcommands([](CLI::App* one) { return !one->get_group().empty(); }))
    for (CLI::App* one : everything(*verb)) all.push_back(one);
  return all;
}

}  // namespace

TEST_CASE("help: a sentence, examples, every argument described, nothing wider than 80 columns") {
  Grammar grammar;
  for (CLI::App* verb : everything(grammar.app)) {
    const std::string help = verb->help();
    CAPTURE(help);
    CHECK_FALSE(verb->get_description().empty());
    CHECK(contains(help, "Examples:\n  grayctl "));
    for (const CLI::Option* option : verb->get_options()) CHECK_FALSE(option->get_description().empty());
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
  }
}

TEST_CASE("the help of grayctl groups the verbs, and hides those without a function") {
  Grammar grammar;
  const std::string help = grammar.app.help();
  for (const char* group : {"\nLook:\n", "\nChange:\n", "\nSet up:\n"}) CHECK(contains(help, group));
  for (CLI::App* verb : grammar.app.get_subcommands([](CLI::App*) { return true; }))
    CHECK(contains(help, "\n  " + verb->get_name() + " ") != is_not_yet(verb->get_name()));
}

TEST_CASE("a verb without words of its own gets command line, help and completion from its row") {
  static constexpr Argument kArguments[] = {
      {"service", ArgumentType::text, true, "as in the configuration"},
      {"version", ArgumentType::text, false, "only this version"},
      {"keep_for", ArgumentType::whole, false, "seconds"},
      {"share", ArgumentType::number, false, "of the users"},
      {"yes", ArgumentType::flag, false, "even if it has users"},
  };
  const VerbRow rows[] = {{.verb = Verb::hold,
                           .name = "hold",
                           .by = AnsweredBy::grayd,
                           .summary = "keep a service",
                           .changes = true,
                           .event = {},
                           .arguments = kArguments,
                           .examples = "  grayctl hold web"}};
  const auto parsed = [&](std::vector<std::string> words) {
    Grammar grammar(rows);
    std::ranges::reverse(words);
    grammar.app.parse(words);
    CHECK(grammar.command.verb == Verb::hold);
    return grammar.command.arguments;
  };
  CHECK(parsed({"hold", "web"}) == nlohmann::json({{"service", "web"}}));
  CHECK(parsed({"hold", "web", "v2", "--keep-for", "60", "--share", "2.5", "--yes"}) ==
        nlohmann::json({{"service", "web"}, {"version", "v2"}, {"keep_for", 60}, {"share", 2.5}, {"yes", true}}));
  CHECK_THROWS_AS(parsed({"hold"}), CLI::RequiredError);
  for (const char* wrong : {"-1", "1.5", "soon"})
    CHECK_THROWS_AS(parsed({"hold", "web", "--keep-for", wrong}), CLI::Error);
  Grammar grammar(rows);
  const std::string help = grammar.app.get_subcommand("hold")->help();
  for (const char* text : {"SERVICE", "[VERSION]", "--keep-for", "seconds", "--yes", "Examples:\n  grayctl hold web"})
    CHECK(contains(help, text));
  CHECK(contains(grammar.app.help(), "\n  hold "));
}

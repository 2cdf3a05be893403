#include "control/grayctl/grammar.hpp"

#include <doctest/doctest.h>

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

#pragma once
// The tree of verbs with their words and their help, and the values that parsing fills. Names and summaries are from
// control/verbs. Only this file and command.cpp use CLI11. Every line of help has at most 80 columns, because the width
// of the terminal is not known here.
#include <CLI/CLI.hpp>
#include <span>
#include <string>

#include "control/grayctl/command.hpp"

namespace gray::control {

struct Grammar {
  explicit Grammar(std::span<const VerbRow> rows = verb_table());
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  CLI::App app{"Talks to a running grayd.", "grayctl"};
  CLI::Option* output_option;
  std::string output = "table";
  std::string percent, timeout, count, weight, since;
  std::optional<std::string> looks, interval;
  std::optional<std::string> diff;
  std::vector<std::string> env;
  bool wait = false, no_wait = false;
  Command command;

 private:
  CLI::App* verb(CLI::App& parent, Verb meaning, const char* examples);
  CLI::App* verb(CLI::App& parent, std::string name, std::string summary, Verb meaning, const char* examples);
  CLI::App* version_verb(Verb meaning, const char* examples);
  void add_timeout(CLI::App& verb);
  void add_waiting(CLI::App& verb);
  void add_ending(CLI::App& verb, const char* waits_for = "wait until it has ended; the default");
  void looking();
  void looking_back();
  void explaining();
  void history();
  void memory();
  void top();
  void changing();
  void releasing();
  void upgrading();
  void configuring();
  void demonstrating();
  CLI::App& parent_of(const VerbRow& row);
  void add_generic(const VerbRow& row);
  void add_argument(CLI::App& verb, const Argument& argument);
};

}  // namespace gray::control

#pragma once
// The command line of grayctl as a value. What the words are is in grammar.hpp; here is what they come to, and what is
// said when they are wrong.
#include <optional>
#include <string>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/base/time.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

struct Command {
  static constexpr Duration kTimeout{600'000};  // how long a wait may take unless --timeout says otherwise

  Verb verb = Verb::status;
  std::string socket;   // --socket; empty: search
  std::string service;  // empty: all
  std::string version;
  double percent = 0;  // 0..100
  std::string file;    // of `config check`
  std::string worker;  // of `logs`; empty: all
  bool follow = false;
  int count = 100;             // of events or lines
  std::string shell;           // of `completion`: bash, zsh or fish
  std::string part = "grayd";  // of `upgrade`: what is replaced, grayd or router
  std::string binary;          // of `upgrade`: the program; empty: that which grayd was started from
  bool yes = false;            // of `stop` and `drain`: also if the version has users
  bool wait = false;           // until what was begun has ended, or all that should be up is
  Duration timeout = kTimeout;
};

/// A command, or a text instead: help (ok) or what is wrong with the command line (usage).
struct CommandLine {
  std::optional<Command> command;
  bool json = false;  // -o json
  ExitCode code = ExitCode::ok;
  std::string text;
};

CommandLine parse_command_line(int argc, const char* const* argv);

/// "12.5" or "12.5%", from 0 to 100; nothing for anything else.
std::optional<double> parse_percent(std::string_view text);

/// The words that may follow, as a tree: what completion offers.
struct VerbWords {
  std::string name;
  std::vector<std::string> options;    // "--wait", "-o"; those of the levels above are theirs
  std::vector<std::string> valued;     // those of them that take a value
  std::vector<std::string> arguments;  // "SERVICE", "VERSION"
  std::vector<VerbWords> verbs;
};
VerbWords known_words();

}  // namespace gray::control

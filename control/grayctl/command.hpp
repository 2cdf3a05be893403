#pragma once
// The command line of grayctl as a value. What the words are is in grammar.hpp; here is what they come to, and what is
// said when they are wrong.
#include <optional>
#include <string>
#include <string_view>

#include "config/exit_code.hpp"

namespace gray::control {

enum class Verb {
  status,
  shift,
  health,
  reload,
  metrics,
  events,
  logs,
  config_check,
  version,
};

struct Command {
  Verb verb = Verb::status;
  std::string socket;   // --socket; empty: search
  std::string service;  // empty: all
  std::string version;
  double percent = 0;  // 0..100
  std::string file;    // of `config check`
  std::string worker;  // of `logs`; empty: all
  bool follow = false;
  int count = 100;  // of events or lines
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

}  // namespace gray::control

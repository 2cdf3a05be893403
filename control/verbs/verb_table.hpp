#pragma once
// The verbs of the contract, one row each, as the admin API, grayd and grayctl use them. Pure.
//
// To add a verb, add its name and its row here, and a handler in control/commands/verbs.cpp (journal.cpp for one that
// waits for new entries). grayctl makes command line, help, completion and output from the row. A verb that waits or
// prints a table has words of its own in control/grayctl/grammar.cpp and a function in cli.cpp. Tests compare all of
// them with the table.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/shared/event_record.hpp"

namespace gray::control {

enum class Verb : std::uint8_t {
  status,
  health,
  metrics,
  events,
  logs,
  shift,
  start,
  restart,
  drain,
  stop,
  deploy,
  promote,
  undo,
  remove,
  upgrade,
  reload,
  config_check,
  completion,
  version,
  rollout_start,
  rollout_status,
  rollout_pause,
  rollout_resume,
  rollout_promote,
  rollout_abort,
  rollout_retry,
  rollout_undo,
  why,
  bucket,
  plan,
  preview,
  hold,
  maintenance,
  report,
  drill,
  history,
  memory,
  top,
  demo_break,
  demo_heal,
  count
};

enum class AnsweredBy : std::uint8_t {
  grayd,    // by grayd, over the admin API
  grayctl,  // by grayctl, without a running grayd
  not_yet,  // planned; grayctl answers that it is not supported yet instead of "unknown verb"
};

enum class ArgumentType : std::uint8_t {
  text,
  number,
  whole,  // not negative; digits in text are accepted, as in a query
  flag,
  texts,  // an object of texts
};

/// In grayctl a required argument and an optional service or version are positional, any other is an option with its
/// name; `help` is its line there. Only verbs that change something have numbers and flags: a query of a GET is text.
struct Argument {
  std::string_view name;
  ArgumentType type;
  bool required = false;
  std::string_view help = {};
};

struct VerbRow {
  Verb verb;
  std::string_view name;  // VERB of /v1/VERB, with a hyphen for each space, and the words after "grayctl"
  AnsweredBy by = AnsweredBy::not_yet;
  std::string_view summary = {};        // in the help of grayctl
  bool changes = false;                 // a POST, gets the caller, refused while grayd cannot be changed
  std::optional<EventKind> event = {};  // its event when it is done; nothing if it reports its events itself
  /// In the admin API. Each verb also takes "timeout_ms", and one that changes something gets "peer", see
  /// control/api/admin_api.hpp.
  std::span<const Argument> arguments = {};
  std::string_view examples = {};  // in the help of grayctl; empty: its words are in control/grayctl/grammar.cpp
};

/// In the order of Verb.
std::span<const VerbRow> verb_table();
const VerbRow& row_of(Verb verb);
std::string_view name_of(Verb verb);

/// The name in /v1/VERB: "rollout-start".
std::string path_name_of(Verb verb);

/// The verb with this path name, if grayd answers it; else nothing.
std::optional<Verb> daemon_verb(std::string_view name);
/// The error message for a verb that grayd does not answer.
std::string unknown_verb(std::string_view name);
bool is_not_yet(std::string_view name);

/// If a required argument is missing in `args`, or one has a wrong type: a message with the arguments of the verb. Else
/// empty. An unknown argument is not an error.
std::string arguments_error(Verb verb, const nlohmann::json& args);

}  // namespace gray::control

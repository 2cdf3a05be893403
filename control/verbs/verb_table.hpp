#pragma once
// The verbs of the contract, one row each: what the admin API, grayd and grayctl must agree on. Pure.
//
// A verb begins here. Who answers it adds the function: grayd a handler (control/commands/verbs.cpp, or journal.cpp
// beside it), grayctl its words (control/grayctl/grammar.cpp) and what it does with the answer (cli.cpp). Tests compare
// all of them with the table.
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
  upgrade,
  reload,
  config_check,
  completion,
  version,
  rollout,
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
  count
};

enum class AnsweredBy : std::uint8_t {
  grayd,    // over the admin API
  grayctl,  // alone, without a running grayd
  not_yet,  // it has no function so far; it is known, so that nobody is told that they mistyped
};

enum class ArgumentType : std::uint8_t {
  text,
  number,
  whole,  // not negative; or its digits, as a query has them
  flag,
};

struct Argument {
  std::string_view name;
  ArgumentType type;
  bool required = false;
};

struct VerbRow {
  Verb verb;
  std::string_view name;  // VERB of /v1/VERB; what is typed behind "grayctl"
  AnsweredBy by = AnsweredBy::not_yet;
  std::string_view summary = {};        // in the help of grayctl; empty: none so far
  bool changes = false;                 // a POST, told who asks, refused while grayd cannot be changed
  std::optional<EventKind> event = {};  // what it is told as once it is done; nothing for one that tells by itself
  /// Of the admin API. Beside them each verb takes "timeout_ms", and one that changes something is handed "peer", see
  /// control/api/admin_api.hpp.
  std::span<const Argument> arguments = {};
};

/// In the order of Verb.
std::span<const VerbRow> verb_table();
const VerbRow& row_of(Verb verb);
std::string_view name_of(Verb verb);

/// The verb of this name that grayd answers; nothing if there is none.
std::optional<Verb> daemon_verb(std::string_view name);
/// What is said to who asks grayd for a verb that it does not answer.
std::string unknown_verb(std::string_view name);
bool is_not_yet(std::string_view name);

/// What the verb needs and takes, if `args` does not have what it needs, or has an argument of another type; empty if
/// all is well. An argument that the verb does not take is no error.
std::string arguments_error(Verb verb, const nlohmann::json& args);

}  // namespace gray::control

// The messages of CLI11 about a mistyped word are not helpful ("A subcommand is required"). So they are not shown: the
// message is made here, from the words that CLI11 did not use.
#include "control/grayctl/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "config/base/demo_place.hpp"
#include "config/base/diagnostics.hpp"
#include "config/base/units.hpp"
#include "control/grayctl/grammar.hpp"

namespace gray::control {
namespace {

constexpr const char* kShells[] = {"bash", "zsh", "fish"};

/// The last verb that was parsed: `check` of `config check`; the program itself if there was none.
const CLI::App& innermost(const CLI::App& app) {
  auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.back());
}

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level; level = level->get_parent())
    for (const CLI::Option* option : level->get_options())
      if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
  return names;
}

/// "grayctl config check", as typed.
std::string spoken(const CLI::App& app) {
  return app.get_parent() ? spoken(*app.get_parent()) + " " + app.get_name() : app.get_name();
}

std::string see_help(const CLI::App& verb) { return fmt::format("; see {} --help", spoken(verb)); }

/// A suggestion for `word`: the nearest of `names`, else the help of `verb`.
std::string suggestion(const std::string& word, const std::vector<std::string>& names, const CLI::App& verb) {
  std::string near = did_you_mean(word, {names.begin(), names.end()});
  return near.empty() ? see_help(verb) : near;
}

/// The nearest option, else all that the verb has.
std::string known_options(const std::string& word, const CLI::App& verb) {
  const auto names = option_names(verb);
  std::string known = did_you_mean(word, {names.begin(), names.end()});
  if (!known.empty() || verb.get_parent() == nullptr) return known.empty() ? see_help(verb) : known;
  for (const std::string& name : names)
    if (name != "--help" && name != "--version") known += (known.empty() ? "" : ", ") + name;
  return fmt::format("; {} has {}{}", spoken(verb), known, see_help(verb));
}

std::string percent_error(const std::string& word) {
  return fmt::format("PERCENT must be a number from 0 to 100, such as 12.5 or 12.5%, not \"{}\"", word);
}

std::string timeout_error(const std::string& word) {
  return fmt::format("--timeout takes a duration such as 60s or 5m, not \"{}\"", word);
}

/// "SERVICE VERSION PERCENT": the required arguments of the verb.
std::string needed_by(const CLI::App& verb) {
  std::string needed;
  for (const CLI::Option* option : verb.get_options())
    if (option->get_positional() && option->get_required()) needed += " " + option->get_name(true);
  return needed;
}

std::string not_yet(const CLI::App& verb) { return fmt::format("{} is not supported yet", verb.get_name()); }

/// The message for a word that does not belong to any verb or option.
std::string explain_word(std::string word, const CLI::App& verb) {
  const bool number =
      word.size() > 1 && word[0] == '-' && (std::isdigit(static_cast<unsigned char>(word[1])) || word[1] == '.');
  if (number && verb.get_name() == "shift") return percent_error(word);
  if (word[0] == '-') word = word.substr(0, word.find('='));
  if (word[0] == '-') return fmt::format("unknown option \"{}\"{}", word, known_options(word, verb));
  std::vector<std::string> verbs = verb_names(verb);
  if (!verbs.empty()) return fmt::format("unknown verb \"{}\"{}", word, suggestion(word, verbs, verb));
  return fmt::format("unexpected argument \"{}\"{}", word, see_help(verb));
}

/// Whether `word` was typed before the verb that CLI11 found: "shfit start" is a mistyped shift, not a start.
bool leads(const std::string& word, const CLI::App& app, const std::vector<std::string>& typed) {
  const auto verbs = app.get_subcommands();
  return !verbs.empty() && std::ranges::find(typed, word) < std::ranges::find(typed, verbs.front()->get_name());
}

std::string explain(const CLI::ParseError& error, const CLI::App& app, const std::vector<std::string>& typed) {
  const CLI::App& verb = innermost(app);
  const std::vector<std::string> left = app.remaining(true);
  if (!left.empty() && leads(left.front(), app, typed)) return explain_word(left.front(), app);
  if (is_not_yet(verb.get_name())) return not_yet(verb);
  if (!left.empty()) return explain_word(left.front(), verb);
  if (dynamic_cast<const CLI::RequiredError*>(&error)) {
    if (&verb == &app) return "no verb; try \"grayctl status\", or see grayctl --help";
    std::string needed = verb_names(verb).empty() ? needed_by(verb) : " a verb";
    return fmt::format("{} needs{}{}", spoken(verb), needed, see_help(verb));
  }
  return error.what() + see_help(verb);
}

bool parse_count(std::string_view text, int& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc{} && end == text.data() + text.size() && count >= 0 && count <= 1'000;
}

/// The variables of --env; the error in one of them, or nothing.
std::string read_env(Grammar& grammar) {
  for (const std::string& word : grammar.env) {
    const std::size_t sign = word.find('=');
    if (sign == 0 || sign == word.npos) return fmt::format("--env takes NAME=VALUE, not \"{}\"", word);
    if (!grammar.command.env.emplace(word.substr(0, sign), word.substr(sign + 1)).second)
      return fmt::format("--env {} is given twice", word.substr(0, sign));
  }
  return {};
}

/// status and health wait only with --wait, the other verbs unless --no-wait is given.
std::string check_waiting(Grammar& grammar) {
  Command& command = grammar.command;
  const bool looks =
      command.verb == Verb::status || command.verb == Verb::health || command.verb == Verb::rollout_status;
  if (grammar.wait && command.follow && command.verb == Verb::status) return "--watch and --wait contradict each other";
  if (grammar.wait && grammar.no_wait) return "--wait and --no-wait contradict each other";
  command.wait = looks ? grammar.wait : !grammar.no_wait;
  command.wait_asked = grammar.wait;
  if (grammar.timeout.empty()) return {};
  const std::optional<Duration> timeout = parse_duration(grammar.timeout);
  if (!timeout || timeout->count() == 0) return timeout_error(grammar.timeout);
  if (!command.wait) return looks ? "--timeout needs --wait" : "--timeout and --no-wait contradict each other";
  command.timeout = *timeout;
  command.timeout_asked = true;
  return {};
}

/// "2h" before now, or a date with or without a time of day, UTC.
std::optional<WallTime> parse_since(const std::string& text) {
  if (const auto ago = parse_duration(text)) return wall_now() - *ago;
  std::string time = text.ends_with('Z') ? text.substr(0, text.size() - 1) : text;
  constexpr std::string_view kRest = "2026-11-30T00:00:00.000";
  if (time.size() != 10 && time.size() != 16 && time.size() != 19 && time.size() != kRest.size()) return std::nullopt;
  return wall_time_from(time.append(kRest.substr(time.size())) + "Z");
}

/// A number in the place of the service is the id of a change.
std::string check_history(Grammar& grammar) {
  Command& command = grammar.command;
  if (grammar.count.empty()) command.count = 50;
  if (command.count < 1) return "--limit takes a whole number from 1 to 1000, not \"0\"";
  if (!grammar.since.empty() && !(command.since = parse_since(grammar.since)))
    return fmt::format("--since takes a duration such as 2h, or a time such as 2026-11-30T12:00Z, not \"{}\"",
                       grammar.since);
  if (command.follow && !command.state_dir.empty()) return "--follow and --state-dir contradict each other";
  const auto& word = command.service;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), command.entry);
  if (error != std::errc{} || end != word.data() + word.size()) {
    command.entry = 0;
    return {};
  }
  if (command.follow) return "--follow cannot be used with one change";
  command.service.clear();
  return {};
}

std::string check_memory(Grammar& grammar) {
  auto& memory = grammar.command.memory;
  if (!grammar.diff) return {};
  if (memory.workers) return "--diff and --workers contradict each other: --workers shows the last hour";
  const char* const last = grammar.diff->data() + grammar.diff->size();
  const auto [end, error] = std::from_chars(grammar.diff->data(), last, memory.seconds);
  if (error != std::errc{} || end != last || memory.seconds < 1 || memory.seconds > Command::Memory::kMostSeconds)
    return fmt::format("--diff takes a whole number of seconds from 1 to {}, not \"{}\"", Command::Memory::kMostSeconds,
                       *grammar.diff);
  return {};
}

std::string check_top(Grammar& grammar) {
  auto& top = grammar.command.top;
  if (grammar.looks) {
    const char* const last = grammar.looks->data() + grammar.looks->size();
    const auto [end, error] = std::from_chars(grammar.looks->data(), last, top.count);
    if (error != std::errc{} || end != last || top.count < 1 || top.count > Command::Top::kMostCount)
      return fmt::format("--count takes a whole number from 1 to {}, not \"{}\"", Command::Top::kMostCount,
                         *grammar.looks);
  }
  if (!grammar.interval) return {};
  top.interval = parse_duration(*grammar.interval);
  if (!top.interval || *top.interval < Command::Top::kShortest || *top.interval > Command::Top::kLongest)
    return fmt::format("--interval takes a duration from 100ms to 1h, not \"{}\"", *grammar.interval);
  return {};
}

/// The error in values that CLI11 does not check; empty if there is none.
std::string check_values(Grammar& grammar) {
  Command& command = grammar.command;
  if (const CLI::App& verb = innermost(grammar.app); is_not_yet(verb.get_name())) return not_yet(verb);
  if (grammar.output != "table" && grammar.output != "json")
    return fmt::format("-o takes table or json, not \"{}\"", grammar.output);
  if (!grammar.count.empty() && !parse_count(grammar.count, command.count))
    return fmt::format("{} takes a whole number from {} to 1000, not \"{}\"",
                       command.verb == Verb::history ? "--limit" : "-n", command.verb == Verb::history ? 1 : 0,
                       grammar.count);
  if (std::string error = check_waiting(grammar); !error.empty()) return error;
  if (command.verb == Verb::history)
    if (std::string error = check_history(grammar); !error.empty()) return error;
  if (std::string error = check_memory(grammar); !error.empty()) return error;
  if (std::string error = check_top(grammar); !error.empty()) return error;
  if (std::string error = read_env(grammar); !error.empty()) return error;
  if (command.part == "router" && !command.binary.empty()) return "--binary cannot be used with grayctl upgrade router";
  if (command.verb == Verb::completion && std::ranges::find(kShells, command.shell) == std::end(kShells))
    return fmt::format("SHELL must be bash, zsh or fish, not \"{}\"", command.shell);
  if (!grammar.weight.empty()) {
    command.bucket.weight = parse_percent(grammar.weight);
    if (!command.bucket.weight) return fmt::format("--weight takes a number from 0 to 100, not \"{}\"", grammar.weight);
  }
  if (!demo::is_break(command.how)) return fmt::format("--how takes errors, slow or crash, not \"{}\"", command.how);
  if (command.verb != Verb::shift) return {};
  std::optional<double> percent = parse_percent(grammar.percent);
  if (!percent) return percent_error(grammar.percent);
  command.percent = *percent;
  return {};
}

/// The verb among the words: the first one that is neither an option nor the value of one.
std::vector<const char*>::iterator verb_in(std::vector<const char*>& words) {
  auto at = words.begin() + 1;
  for (; at < words.end() && **at == '-'; ++at)
    if (const std::string_view word = *at; word == "--socket" || word == "-o" || word == "--output") ++at;
  return std::min(at, words.end());
}

/// Cuts off a request behind `why`: what follows "--", or "curl" and what follows. Its options are not of grayctl.
std::vector<std::string> take_request(std::vector<const char*>& words) {
  const auto verb = words.empty() ? words.end() : verb_in(words);
  if (verb == words.end() || std::string_view(*verb) != "why") return {};
  const auto begins = [](std::string_view word) { return word == "--" || word == "curl"; };
  const auto begin = std::find_if(verb, words.end(), begins);
  if (begin == words.end()) return {};
  const std::vector<std::string> request(std::string_view(*begin) == "--" ? begin + 1 : begin, words.end());
  words.erase(begin, words.end());
  return request;
}

VerbWords words_of(const CLI::App& app) {
  VerbWords words{.name = app.get_name()};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) words.arguments.push_back(option->get_single_name());
    for (const std::string& name : option->get_lnames()) words.options.push_back("--" + name);
    for (const std::string& name : option->get_snames()) words.options.push_back("-" + name);
    if (option->get_positional() || option->get_items_expected_max() == 0) continue;
    for (const std::string& name : option->get_lnames()) words.valued.push_back("--" + name);
    for (const std::string& name : option->get_snames()) words.valued.push_back("-" + name);
  }
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    words.verbs.push_back(words_of(*verb));
  return words;
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  Grammar grammar;
  CommandLine result;
  std::vector<const char*> words(argv, argv + argc);
  const std::vector<std::string> request = take_request(words);
  try {
    grammar.app.parse(static_cast<int>(words.size()), words.data());
    std::ranges::copy(request, std::back_inserter(grammar.command.why.words));
    result.text = check_values(grammar);
  } catch (const CLI::Success& help) {
    std::ostringstream text;
    grammar.app.exit(help, text, text);
    result.text = text.str();
    return result;
  } catch (const CLI::ParseError& error) {
    result.text = explain(error, grammar.app, {argv, argv + argc});
  }
  auto given = grammar.output_option->results();  // even where the parser stopped early
  result.json = !given.empty() && given.back() == "json";
  if (result.text.empty())
    result.command = grammar.command;
  else
    result.code = ExitCode::usage;
  return result;
}

VerbWords known_words() { return words_of(Grammar().app); }

}  // namespace gray::control

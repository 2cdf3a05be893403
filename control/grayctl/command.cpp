// CLI11 says little about a mistyped word ("A subcommand is required"), so its errors are only the sign that something
// is wrong; what to tell is found here, from the words that it left over.
#include "control/grayctl/command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <sstream>

#include "config/diagnostics.hpp"
#include "control/version.hpp"

namespace gray::control {
namespace {

/// Verbs of the contract without a function so far. They are known, so that nobody is told that they mistyped.
constexpr const char* kNotYet[] = {"start", "stop",    "restart", "drain",   "logs", "events",      "rollout",
                                   "why",   "bucket",  "plan",    "preview", "hold", "maintenance", "report",
                                   "drill", "history", "memory",  "upgrade", "top",  "completion"};

bool is_not_yet(const std::string& verb) { return std::ranges::find(kNotYet, verb) != std::end(kNotYet); }

/// The tree of verbs and the values that it fills.
struct Grammar {
  Grammar();
  CLI::App* verb(CLI::App& parent, const char* name, const char* summary, Verb meaning, const char* examples);

  CLI::App app{"Talks to a running grayd.", "grayctl"};
  CLI::Option* output_option;
  std::string output = "table";
  std::string percent;
  Command command;
};

CLI::App* Grammar::verb(CLI::App& parent, const char* name, const char* summary, Verb meaning, const char* examples) {
  CLI::App* added = parent.add_subcommand(name, summary);
  added->fallthrough();  // --socket and -o may stand behind the verb
  added->footer(std::string("Examples:\n") + examples);
  added->callback([this, meaning] { command.verb = meaning; });
  return added;
}

Grammar::Grammar() {
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("grayctl {}", kVersion));
  app.add_option("--socket", command.socket,
                 "grayd's socket; else $GRAYCTL_SOCKET, run/grayd.sock, /run/grayd/grayd.sock")
      ->type_name("PATH");
  output_option = app.add_option("-o,--output", output, "table or json")->type_name("FORMAT");
  app.footer(
      "Exit codes: 0 ok, 1 failed, 2 usage, 3 conflict, 4 denied, 5 timeout, 6 rollout aborted, 7 no daemon, 8 bad "
      "config.\n"
      "Examples:\n  grayctl status\n  grayctl shift web v2 5%");

  verb(app, "status", "services, versions and workers", Verb::status,
       "  grayctl status\n  grayctl status web -o json\n"
       "A * marks the stable version; BUSY are requests in flight, UP the workers that are ready or healthy.")
      ->add_option("SERVICE", command.service, "only this one");

  CLI::App* shift = verb(app, "shift", "give a version a share of the users; returns when every router applied it",
                         Verb::shift, "  grayctl shift web v2 5%\n  grayctl shift web v2 0");
  shift->add_option("SERVICE", command.service)->required();
  shift->add_option("VERSION", command.version, "one that is not the stable one")->required();
  shift->add_option("PERCENT", percent, "0 to 100; the stable version has the rest")->required();

  verb(app, "health", "0 if every service can be served by its stable version, else 1", Verb::health,
       "  grayctl health\n  grayctl health web && echo up")
      ->add_option("SERVICE", command.service, "only this one");
  verb(app, "reload", "read the configuration file again; applied whole or refused whole", Verb::reload,
       "  grayctl config check grayd.toml && grayctl reload");
  verb(app, "metrics", "counters and durations as Prometheus text", Verb::metrics, "  grayctl metrics | grep errors");

  CLI::App* config = app.add_subcommand("config", "configuration files");
  config->fallthrough()->require_subcommand(1);
  config->footer("Examples:\n  grayctl config check grayd.toml");
  verb(*config, "check", "say what is wrong with a file; needs no running grayd", Verb::config_check,
       "  grayctl config check grayd.toml")
      ->add_option("FILE", command.file)
      ->required();
  verb(app, "version", "the version of grayctl", Verb::version, "  grayctl version -o json");

  for (const char* name : kNotYet) app.add_subcommand(name)->group("")->fallthrough()->allow_extras();
}

/// The verb that was understood last: `check` of `config check`; the program itself if none was.
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

/// What to do about `word`: the nearest of `names`, else the help of `verb`.
std::string suggestion(const std::string& word, const std::vector<std::string>& names, const CLI::App& verb) {
  std::string near = did_you_mean(word, {names.begin(), names.end()});
  return near.empty() ? see_help(verb) : near;
}

std::string percent_error(const std::string& word) {
  return fmt::format("PERCENT must be a number from 0 to 100, such as 12.5 or 12.5%, not \"{}\"", word);
}

/// "SERVICE VERSION PERCENT": what the verb must be given.
std::string needed_by(const CLI::App& verb) {
  std::string needed;
  for (const CLI::Option* option : verb.get_options())
    if (option->get_positional() && option->get_required()) needed += " " + option->get_name(true);
  return needed;
}

std::string not_yet(const CLI::App& verb) { return fmt::format("{} is not supported yet", verb.get_name()); }

/// A word that no verb and no option took.
std::string explain_word(std::string word, const CLI::App& verb) {
  const bool number =
      word.size() > 1 && word[0] == '-' && (std::isdigit(static_cast<unsigned char>(word[1])) || word[1] == '.');
  if (number && verb.get_name() == "shift") return percent_error(word);
  if (word[0] == '-') word = word.substr(0, word.find('='));
  if (word[0] == '-') return fmt::format("unknown option \"{}\"{}", word, suggestion(word, option_names(verb), verb));
  std::vector<std::string> verbs = verb_names(verb);
  if (!verbs.empty()) return fmt::format("unknown verb \"{}\"{}", word, suggestion(word, verbs, verb));
  return fmt::format("\"{}\" is one word too many{}", word, see_help(verb));
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

/// What CLI11 cannot know to be wrong; empty if all is well.
std::string check_values(Grammar& grammar) {
  if (const CLI::App& verb = innermost(grammar.app); is_not_yet(verb.get_name())) return not_yet(verb);
  if (grammar.output != "table" && grammar.output != "json")
    return fmt::format("-o takes table or json, not \"{}\"", grammar.output);
  if (grammar.command.verb != Verb::shift) return {};
  std::optional<double> percent = parse_percent(grammar.percent);
  if (!percent) return percent_error(grammar.percent);
  grammar.command.percent = *percent;
  return {};
}

}  // namespace

std::optional<double> parse_percent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 && value <= 100 ? std::optional(value) : std::nullopt;  // the comparisons refuse "nan" too
}

CommandLine parse_command_line(int argc, const char* const* argv) {
  Grammar grammar;
  CommandLine result;
  try {
    grammar.app.parse(argc, argv);
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

}  // namespace gray::control

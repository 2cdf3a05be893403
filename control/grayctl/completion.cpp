#include "control/grayctl/completion.hpp"

#include <algorithm>
#include <optional>

#include "config/base/demo_place.hpp"
#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"

namespace gray::control {
namespace {

using Words = std::vector<std::string>;

constexpr Duration kTimeout{1'000};  // a longer wait at a Tab is worse than no completion

constexpr const char* kBash = R"(# completion of grayctl for bash
_grayctl() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _grayctl grayctl
)";

constexpr const char* kZsh = R"(#compdef grayctl
# completion of grayctl for zsh
_grayctl() {
  local -a offered
  offered=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${offered[1]}" ]]; then compadd -a offered; else _files; fi
}
if [[ "${funcstack[1]}" = _grayctl ]]; then _grayctl; else compdef _grayctl grayctl; fi
)";

constexpr const char* kFish = R"fish(# completion of grayctl for fish
complete -c grayctl -f -a '(grayctl __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
)fish";

/// The position in the tree after a line of words.
struct Position {
  std::vector<const VerbWords*> verbs;  // from the program down to the last verb
  Words arguments;                      // given to the last verb so far
  std::string open;                     // the option whose value comes next; empty: none
  std::string socket;
};

bool contains(const Words& words, const std::string& word) { return std::ranges::find(words, word) != words.end(); }

bool takes_value(const Position& position, const std::string& option) {
  return std::ranges::any_of(position.verbs, [&](const VerbWords* verb) { return contains(verb->valued, option); });
}

void go(Position& position, const std::string& word) {
  if (!position.open.empty()) {
    if (position.open == "--socket") position.socket = word;
    position.open.clear();
  } else if (word.starts_with("-")) {
    if (word.starts_with("--socket=")) position.socket = word.substr(9);
    if (takes_value(position, word)) position.open = word;
  } else {
    const auto& below = position.verbs.back()->verbs;
    const auto verb = std::ranges::find(below, word, &VerbWords::name);
    if (verb != below.end())
      position.verbs.push_back(&*verb);
    else
      position.arguments.push_back(word);
  }
}

Words names_in(const nlohmann::json& entries) {
  Words names;
  for (const auto& entry : entries) names.push_back(entry.at("name").get<std::string>());
  return names;
}

/// The names of the running services, or of the versions of `service`; nothing if grayd does not answer.
Words live_names(const Position& position, const std::optional<std::string>& service) try {
  const Answer answer = Client(find_socket(position.socket), kTimeout).get("status");
  if (answer.code != ExitCode::ok) return {};
  if (!service) return names_in(answer.body.at("services"));
  for (const auto& one : answer.body.at("services"))
    if (one.at("name") == *service) return names_in(one.at("versions"));
  return {};
} catch (const nlohmann::json::exception&) {
  return {};
}

Words values_of(const std::string& option) {
  if (option == "--how") return {demo::kBreaks.begin(), demo::kBreaks.end()};
  return option == "-o" || option == "--output" ? Words{"table", "json"} : Words{};
}

Words arguments_at(const Position& position) {
  const Words& known = position.verbs.back()->arguments;
  if (position.arguments.size() >= known.size()) return {};
  const std::string& name = known[position.arguments.size()];
  if (name == "SERVICE") return live_names(position, std::nullopt);
  if (name == "VERSION" && !position.arguments.empty()) return live_names(position, position.arguments.front());
  if (name == "VERSION") return {"v1", "v2"};  // of a demo: no service is named before it
  if (name == "SHELL") return {"bash", "zsh", "fish"};
  return {};
}

Words offers(const Position& position, const std::string& begun) {
  if (!position.open.empty()) return values_of(position.open);
  Words all;
  if (begun.starts_with("-")) {
    for (const VerbWords* verb : position.verbs)
      std::ranges::copy_if(verb->options, std::back_inserter(all),
                           [&](const std::string& option) { return !contains(all, option); });
    return all;
  }
  for (const VerbWords& verb : position.verbs.back()->verbs) all.push_back(verb.name);
  return all.empty() ? arguments_at(position) : all;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : shell == "fish" ? kFish : "";
}

std::vector<std::string> complete(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  const VerbWords program = known_words();
  Position position{{&program}, {}, {}, {}};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) go(position, words[i]);
  Words offered = offers(position, words.back());
  std::erase_if(offered, [&](const std::string& word) { return !word.starts_with(words.back()); });
  return offered;
}

}  // namespace gray::control

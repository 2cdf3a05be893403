#include "config/settings/release.hpp"

namespace gray {
namespace {

constexpr std::string_view kPlaceholder = "version";

bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_word(char c) { return begins_word(c) || (c >= '0' && c <= '9'); }

/// The word of "{WORD}" at the start of `text`; empty: there is none.
std::string_view word_at(std::string_view text) {
  std::size_t end = 1;
  if (text.size() < 3 || text[0] != '{' || !begins_word(text[1])) return {};
  while (end < text.size() && continues_word(text[end])) ++end;
  return end < text.size() && text[end] == '}' ? text.substr(1, end - 1) : std::string_view{};
}

/// A part of a text: as it is, or a placeholder.
struct Part {
  std::string_view text;
  bool placeholder = false;
};

/// The part at the start of `text`, which is not empty, and the number of bytes that it stands for.
Part next_part(std::string_view text, std::size_t& length) {
  if (text[0] == '$' && text.size() > 1 && text[1] == '{') {
    length = 2;
    return {text.substr(0, 2)};
  }
  if (text.starts_with("{{")) {
    const std::string_view word = word_at(text.substr(1));
    const bool escaped = !word.empty() && text.substr(word.size() + 3).starts_with('}');
    length = escaped ? word.size() + 4 : 1;
    return {escaped ? text.substr(1, word.size() + 2) : text.substr(0, 1)};
  }
  const std::string_view word = word_at(text);
  length = word.empty() ? 1 : word.size() + 2;
  return word.empty() ? Part{text.substr(0, 1)} : Part{word, true};
}

std::string replaced(std::string_view text, std::string_view version) {
  std::string result;
  for (std::size_t length = 0; !text.empty(); text.remove_prefix(length)) {
    const Part part = next_part(text, length);
    result += part.placeholder && part.text == kPlaceholder ? version
              : part.placeholder                            ? text.substr(0, length)
                                                            : part.text;
  }
  return result;
}

}  // namespace

std::optional<std::string> unknown_placeholder(std::string_view text) {
  for (std::size_t length = 0; !text.empty(); text.remove_prefix(length)) {
    const Part part = next_part(text, length);
    if (part.placeholder && part.text != kPlaceholder) return std::string(part.text);
  }
  return std::nullopt;
}

VersionSettings instantiate(const ReleaseSettings& release, const std::string& version,
                            const std::map<std::string, std::string>& env) {
  VersionSettings settings = release.form;
  const auto replace = [&](std::string& text) { text = replaced(text, version); };
  settings.name = version;
  settings.deployed = true;
  settings.weight = 0;
  for (std::string& part : settings.command) replace(part);
  for (auto& [name, value] : settings.env) replace(value);
  for (const auto& [name, value] : env) settings.env[name] = value;
  for (std::string* text : {&settings.cwd, &settings.user, &settings.health.path, &settings.health.host})
    replace(*text);
  for (auto& [name, value] : settings.health.headers) replace(value);
  return settings;
}

}  // namespace gray

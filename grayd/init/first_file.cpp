#include "grayd/init/first_file.hpp"

#include <fmt/format.h>

#include <cctype>

namespace gray::init {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kComments = 34;  // the column of comments behind short values

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; }

std::string command_of(const Plan& plan) {
  std::string list;
  for (const std::string& word : plan.command) list += (list.empty() ? "" : ", ") + toml_text(word);
  return "[" + list + "]";
}

std::string env_of(const Plan& plan) {
  std::string table;
  for (const auto& [name, value] : plan.env)
    table += fmt::format("{}{} = {}", table.empty() ? " " : ", ", name, toml_text(value));
  return "{" + table + " }";
}

/// KEY = VALUE with a comment: behind it, or above if it would be too far to the right.
std::string row(const std::string& key, const std::string& value, const std::string& comment) {
  const std::string code = key + " = " + value;
  if (code.size() >= kComments) return fmt::format("# {}\n{}\n", comment, code);
  return fmt::format("{:<{}}# {}\n", code, kComments, comment);
}

std::string table(const std::string& header, const std::string& comment) {
  if (header.size() >= kComments) return fmt::format("# {}\n{}\n", comment, header);
  return fmt::format("{:<{}}# {}\n", header, kComments, comment);
}

/// A comment is one line: what came from a file of the project may hold anything.
std::string one_line(std::string text) {
  for (char& c : text)
    if (!is_plain(c)) c = ' ';
  return text;
}

}  // namespace

std::string service_name(const std::string& text) {
  std::string name;
  const std::size_t slash = text.rfind('/');
  for (const char c : slash == text.npos ? text : text.substr(slash + 1)) {
    const bool good = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
    if (good)
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
    if (name.size() == kLongestName) break;
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "web" : name;
}

std::string toml_text(const std::string& text) {
  bool plain = true, escapes = false;
  for (const char c : text) {
    plain = plain && is_plain(c) && c != '\'';
    escapes = escapes || c == '"' || c == '\\';
  }
  if (plain && escapes) return "'" + text + "'";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (is_plain(c))
      out += c;
    else
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out + "\"";
}

std::string first_file(const Plan& plan, const std::string& service, std::uint16_t port) {
  std::string text = one_line(fmt::format("# Written by grayd init for: {}, from {}.", plan.kind, plan.from)) + "\n";
  text += "# Every key: docs/configuration.md. Relative paths begin in this folder.\n\n[listen]\n";
  text += row("http", fmt::format(R"(["127.0.0.1:{}"])", port), "the address for users");
  text += row("admin", R"("run/grayd.sock")", "the socket for grayctl");
  text += "\n" + table(fmt::format("[service.{}]", service), "one service; later versions get a share of its users");
  text += row("stable", R"("v1")", "the version that all other users get");
  text += "\n" + table(fmt::format("[service.{}.version.v1]", service), "PORT and HOST are in its environment");
  text += row("command", command_of(plan), one_line("from " + plan.from));
  if (!plan.env.empty()) text += row("env", env_of(plan), "added to its environment");
  text += row("instances", "1", "processes");
  text += row("ready", R"("auto")", one_line(plan.ready));
  if (!plan.stop_signal.empty())
    text += row("stop", fmt::format(R"({{ signal = "{}" }})", plan.stop_signal), "the signal that ends it");
  text += row("# health", R"({ path = "/" })", "a path that answers 200 to 399 while it is healthy");
  return text;
}

std::string trial_file(const Plan& plan, const std::string& service, const TrialPlaces& places) {
  const auto in_scratch = [&](const char* name) { return toml_text(places.scratch + name); };
  std::string text = fmt::format("state_dir = {}\naccess_log = \"off\"\n", in_scratch("/state"));
  text += fmt::format("[listen]\nhttp = [{}]\nadmin = {}\n", toml_text("unix:" + places.scratch + "/users.sock"),
                      in_scratch("/admin.sock"));
  text += fmt::format("[router]\nthreads = 1\n[service.{0}]\nstable = \"v1\"\n[service.{0}.version.v1]\n", service);
  text += fmt::format("command = {}\ncwd = {}\n", command_of(plan), toml_text(places.folder));
  if (!plan.env.empty()) text += fmt::format("env = {}\n", env_of(plan));
  text += fmt::format("drain_timeout = \"1s\"\nstop = {{ signal = \"{}\", timeout = \"2s\" }}\n",
                      plan.stop_signal.empty() ? "TERM" : plan.stop_signal);
  return text;
}

std::string least_file(const std::string& service) {
  return fmt::format(
      "  [service.{0}]\n"
      "  stable = \"v1\"\n"
      "\n"
      "  [service.{0}.version.v1]\n"
      "  command = [\"./my-program\", \"its-argument\"]   # it must listen on PORT and HOST of its environment\n",
      service);
}

}  // namespace gray::init

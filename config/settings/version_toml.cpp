#include "config/settings/version_toml.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <set>

#include "config/base/units.hpp"
#include "config/keys/number_pattern.hpp"
#include "config/keys/text_patterns.hpp"

namespace gray {
namespace {

constexpr std::uint32_t kMostInstances = 256;
constexpr std::uint32_t kMostProbes = 100;
constexpr std::uint32_t kMostLogLines = 10'000;
constexpr Duration kLongestProof{3'600'000};
constexpr std::size_t kMostProbeHeaders = 32;
constexpr std::size_t kMostProbeBytes = 8 << 10;  // of all headers of a probe
constexpr std::size_t kMostToStart = 1 << 20;  // bytes of command and env; execve(2) takes 2 MiB, with grayd's own env
constexpr std::size_t kMostProbeHost = 260;    // bytes: a name, and a port
constexpr int kListenFd = 3;                   // the inherited socket
constexpr int kLargestFd = 255;                // the descriptor limit of a worker may be as low as 1024

constexpr std::pair<std::string_view, ReadyWay> kWays[] = {
    {"pipe", ReadyWay::pipe}, {"notify", ReadyWay::notify}, {"ipc", ReadyWay::ipc},
    {"tcp", ReadyWay::tcp},   {"http", ReadyWay::http},
};

/// N of "fd:N": 0 to 2 are stdin, stdout and stderr.
std::optional<int> parse_ready_fd(std::string_view text) {
  if (!text.starts_with("fd:")) return std::nullopt;
  text.remove_prefix(3);
  int fd = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (problem != std::errc{} || end != text.data() + text.size() || fd < 3 || fd > kLargestFd) return std::nullopt;
  return fd;
}

std::optional<ReadyWay> parse_way(std::string_view text) {
  for (const auto& [name, way] : kWays)
    if (text == name) return way;
  if (parse_ready_fd(text)) return ReadyWay::fd;
  return std::nullopt;
}

/// Why a method cannot work with the other settings of the version; empty if it can.
std::string conflict(ReadyWay way, int fd, const VersionSettings& version) {
  const bool inherits = version.listen == ListenMode::inherited;
  if (way == ReadyWay::http && version.health.path.empty())
    return "\"http\" needs a health path: add health = { path = \"/healthz\" }";
  if (way == ReadyWay::tcp && inherits)
    return "\"tcp\" cannot be used with listen = \"socket\", which accepts connections before the worker is ready: "
           "use \"notify\", \"pipe\" or \"http\"";
  if (way == ReadyWay::fd && inherits && fd == kListenFd)
    return "descriptor 3 is the listening socket of listen = \"socket\": use \"fd:4\"";
  return {};
}

void add_way(TomlReader& table, const TomlReader::Item& item, const VersionSettings& version, Readiness& ready) {
  const auto way = parse_way(item.text);
  if (!way) {
    const std::string hint = did_you_mean(item.text, {"auto", "pipe", "notify", "ipc", "tcp", "http"});
    return table.error(
        *item.at, in_quotes(item.text) +
                      " is not a readiness method: use auto, pipe, notify, ipc, fd:N (N is 3 to 255), tcp or http" +
                      hint);
  }
  if (std::find(ready.ways.begin(), ready.ways.end(), *way) != ready.ways.end())
    return table.error(*item.at, in_quotes(item.text) + " is listed twice");
  if (*way == ReadyWay::fd) ready.fd = *parse_ready_fd(item.text);
  if (const std::string problem = conflict(*way, ready.fd, version); !problem.empty())
    return table.error(*item.at, problem);
  ready.ways.push_back(*way);
}

void describe_ready(TomlReader& table) {
  KeyForm* const form = table.form("ready");
  if (form == nullptr) return;
  form->pattern = "^(?:auto";
  for (const auto& [word, way] : kWays) form->pattern += "|" + std::string(word);
  form->pattern += "|fd:" + whole_pattern(3, kLargestFd) + ")$";
  form->fallback = "auto";
  form->fewest_items = 1;
  form->distinct = true;
}

/// Needs `listen` and `health` of `version`: some methods depend on them.
Readiness read_ready(TomlReader& table, const VersionSettings& version) {
  Readiness ready;
  table.duration("ready_timeout", ready.timeout);
  const auto items = table.texts("ready", true);
  describe_ready(table);
  if (!items || (items->size() == 1 && items->front().text == "auto")) return ready;
  ready.automatic = false;
  if (items->empty()) table.error("ready", "the list is empty: name a method, or remove the key for \"auto\"");
  for (const TomlReader::Item& item : *items) {
    if (item.text == "auto")
      table.error(*item.at, "\"auto\" must be the only method: it tries every method that needs no settings");
    else
      add_way(table, item, version, ready);
  }
  return ready;
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// Why a probe cannot send a header of this name, in lower case; empty if it can.
std::string refusal_of(std::string_view name) {
  if (!is_token(name)) return " cannot be the name of a header";
  if (name == "host") return " is a key of its own: use health = { host = \"VALUE\" }";
  constexpr std::string_view kOfOneHop[] = {"connection", "content-length",    "expect",  "keep-alive",      "te",
                                            "trailer",    "transfer-encoding", "upgrade", "proxy-connection"};
  if (std::find(std::begin(kOfOneHop), std::end(kOfOneHop), name) == std::end(kOfOneHop)) return {};
  return " describes a body or a connection, and a probe has no body and a connection of its own: remove it";
}

/// RFC 9110 5.5.
bool is_field_value(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!text.empty() && (blank(text.front()) || blank(text.back()))) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return blank(c) || (static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) != 0x7f);
  });
}

void read_probe_headers(TomlReader& health, HttpProbe& probe) {
  TomlReader table(health, "headers", "health.headers");
  std::set<std::string> known;  // in lower case
  std::size_t bytes = 0;
  const std::vector<std::string> names = table.names();
  if (KeyForm* const form = table.form()) {
    form->names = patterns::kToken;
    form->most_items = kMostProbeHeaders;
    form->each = std::make_unique<KeyForm>();
    form->each->pattern = patterns::kFieldValue;
  }
  for (const std::string& name : names) {
    std::string& value = probe.headers[name];
    table.text(name, value, kMostProbeBytes);
    if (const std::string refusal = refusal_of(lowered(name)); !refusal.empty())
      table.error_at_name(name, in_quotes(name) + refusal);
    else if (!known.insert(lowered(name)).second)
      table.error_at_name(name, in_quotes(name) + " is listed twice");
    if (!is_field_value(value))
      table.error(name, in_quotes(value) +
                            " cannot be the value of a header: it has a control character, or a blank at "
                            "one of its ends");
    bytes += name.size() + value.size() + 4;
  }
  if (probe.headers.size() > kMostProbeHeaders)
    health.error("headers", "a probe has " + std::to_string(probe.headers.size()) + " headers: at most " +
                                std::to_string(kMostProbeHeaders) + " are allowed");
  if (bytes > kMostProbeBytes)
    health.error("headers", "the headers of a probe have " + std::to_string(bytes) + " bytes: at most " +
                                format_size(kMostProbeBytes) + " are allowed");
}

void read_probe(TomlReader& table, HttpProbe& probe) {
  table.text("path", probe.path, kMostPath);
  table.pattern("path", patterns::kProbePath);
  if (!probe.path.empty() && !probe.path.starts_with('/'))
    table.error("path", in_quotes(probe.path) + " is not a path that begins with \"/\"");
  else if (!is_visible(probe.path))
    table.error("path", in_quotes(probe.path) + " has a character that a request must not have: write it as %XX");
  table.text("host", probe.host, kMostProbeHost);
  table.pattern("host", patterns::kProbeHost);
  if (!is_visible(probe.host) || probe.host.find_first_of("/?#@,\"\\") != probe.host.npos)
    table.error("host", in_quotes(probe.host) + " is not a host such as \"example.com\" or \"example.com:8080\"");
  read_probe_headers(table, probe);
  const std::pair<std::string_view, bool> others[] = {{"host", !probe.host.empty()},
                                                      {"headers", !probe.headers.empty()}};
  for (const auto& [key, used] : others)
    if (used && probe.path.empty())
      table.error(key, in_quotes(key) + " needs a health path, because a TCP connect sends nothing: add path = \"/\"");
}

HealthCheck read_health(TomlReader& version) {
  HealthCheck health;
  TomlReader table(version, "health");
  read_probe(table, health);
  table.duration("interval", health.interval);
  table.duration("timeout", health.timeout);
  table.number("rise", health.rise, 1, kMostProbes);
  table.number("fall", health.fall, 1, kMostProbes);
  return health;
}

StopPolicy read_stop(TomlReader& version) {
  StopPolicy stop;
  TomlReader table(version, "stop");
  table.choice<int>("signal", stop.signal,
                    {{"TERM", SIGTERM},
                     {"INT", SIGINT},
                     {"QUIT", SIGQUIT},
                     {"HUP", SIGHUP},
                     {"USR1", SIGUSR1},
                     {"USR2", SIGUSR2},
                     {"WINCH", SIGWINCH},
                     {"KILL", SIGKILL}});
  table.duration("timeout", stop.timeout);
  return stop;
}

bool is_one_of(std::string_view name, const std::vector<std::string_view>& names) {
  return std::ranges::find(names, name) != names.end();
}

/// A worker's variable in an argument that no shell expands: it would reach the program as it is.
void check_variables(TomlReader& table, const std::vector<TomlReader::Item>& command) {
  static constexpr std::string_view kVariables[] = {"PORT", "HOST", "GRAY_SOCKET", "GRAY_VERSION", "GRAY_WORKER_ID"};
  for (const TomlReader::Item& item : command) {
    if (is_one_of(item.text, {"-c", "-lc", "-ec", "-e", "-E", "-p", "--eval", "-r"})) return;  // code in some language
    for (const std::string_view variable : kVariables) {
      const std::string plain = "$" + std::string(variable), braced = "${" + std::string(variable) + "}";
      const bool found = item.text.find(braced) != item.text.npos || item.text.ends_with(plain) ||
                         item.text.find(plain + "/") != item.text.npos || item.text.find(plain + ":") != item.text.npos;
      if (!found) continue;
      return table.error(*item.at, in_quotes(item.text) + ": no shell replaces " + plain +
                                       " here: write command = [\"sh\", \"-c\", \"exec PROGRAM ... " + plain + "\"]");
    }
  }
}

std::vector<std::string> read_command(TomlReader& table, const std::string& name) {
  std::vector<std::string> command;
  const bool given = table.has("command");
  table.require("command");
  const auto items = table.texts("command");
  if (KeyForm* const form = table.form("command")) form->fewest_items = 1;
  if (!given)
    table.error("command", "version " + in_quotes(name) + " has no command: add command = [\"PROGRAM\", \"ARGUMENT\"]");
  if (!items) return command;
  for (const TomlReader::Item& item : *items) command.push_back(item.text);
  check_variables(table, *items);
  if (command.empty() || command.front().empty())
    table.error("command", "the command is empty: name the program to run");
  return command;
}

// See process/environment.hpp. PORT and HOST are set, too, if a worker listens on a port.
const std::vector<std::string_view> kSetAlways = {"GRAY_SOCKET",     "GRAY_VERSION",  "GRAY_WORKER_ID",
                                                  "GRAY_GENERATION", "GRAY_INSTANCE", "GRAY_READY_FD"};
const std::vector<std::string_view> kSetForListening = {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};
const std::vector<std::string_view> kSetForReadiness = {"NOTIFY_SOCKET", "NODE_CHANNEL_FD",
                                                        "NODE_CHANNEL_SERIALIZATION_MODE"};

std::string set_by_grayd(std::string_view name, ListenMode listen) {
  if (listen == ListenMode::port && name == "PORT")
    return "grayd gives each worker its own port in PORT; for a program that reads a different variable: "
           "command = [\"sh\", \"-c\", \"MY_PORT=$PORT exec PROGRAM\"]";
  if (listen == ListenMode::port && name == "HOST")
    return "workers listen on 127.0.0.1, and grayd sets HOST to it; clients connect to listen.http";
  if (is_one_of(name, kSetAlways)) return "grayd sets it for each worker: choose a different name";
  if (is_one_of(name, kSetForListening))
    return "grayd sets it for a worker with listen = \"socket\": write listen = \"socket\"";
  if (is_one_of(name, kSetForReadiness)) return "grayd sets it for the readiness message: see the key \"ready\"";
  return {};
}

std::map<std::string, std::string> read_env(TomlReader& version, ListenMode listen) {
  std::map<std::string, std::string> env;
  TomlReader table(version, "env");
  const std::vector<std::string> names = table.names();
  if (KeyForm* const form = table.form()) {
    form->names = patterns::kVariable;
    for (const auto* set : {&kSetAlways, &kSetForListening, &kSetForReadiness})
      form->words.insert(form->words.end(), set->begin(), set->end());
  }
  for (const std::string& name : names) {
    if (const std::string problem = env_problem(name, listen); !problem.empty()) table.error_at_name(name, problem);
    table.text(name, env[name], kMostText - std::min(kMostText, name.size() + 1));
  }
  return env;
}

/// As execve(2) counts: each text with its end and a pointer.
void check_size(TomlReader& table, const VersionSettings& version) {
  std::size_t bytes = 0;
  for (const std::string& part : version.command) bytes += part.size() + 1 + sizeof(char*);
  for (const auto& [name, value] : version.env) bytes += name.size() + value.size() + 2 + sizeof(char*);
  if (bytes > kMostToStart)
    table.error("command", "command and env of version " + in_quotes(version.name) + " have " + std::to_string(bytes) +
                               " bytes: at most " + format_size(kMostToStart) + " are allowed");
}

}  // namespace

std::string env_problem(std::string_view name, ListenMode listen) {
  if (const std::string problem = set_by_grayd(name, listen); !problem.empty())
    return "env cannot set " + std::string(name) + ": " + problem;
  if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != name.npos)
    return in_quotes(name) + " cannot be the name of an environment variable";
  return {};
}

VersionSettings read_version(TomlReader& table, const std::string& name) {
  VersionSettings version;
  version.name = name;
  version.command = read_command(table, name);
  table.number("instances", version.instances, 1, kMostInstances);
  version.cwd = ".";
  table.path("cwd", version.cwd);
  table.text("user", version.user, kMostName);
  version.command_at = table.place("command");
  version.cwd_at = table.place("cwd");
  version.user_at = table.place("user");
  table.choice<ListenMode>(
      "listen", version.listen,
      {{"port", ListenMode::port}, {"unix", ListenMode::unix_path}, {"socket", ListenMode::inherited}});
  version.env = read_env(table, version.listen);
  check_size(table, version);
  version.health = read_health(table);
  version.ready = read_ready(table, version);
  table.duration("min_healthy", version.min_healthy, Duration{0}, kLongestProof);
  version.stop = read_stop(table);
  table.duration("drain_timeout", version.drain_timeout);
  table.size("memory", version.memory, 0, 1ull << 50);
  table.number("log_lines", version.log_lines, 1, kMostLogLines);
  table.percent("weight", version.weight);
  return version;
}

}  // namespace gray

#include "config/toml/toml_mistakes.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

#include "config/base/address.hpp"

namespace gray {
namespace {

constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kMarks = "[]{},=";  // between values

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  });
}

bool is_number(std::string_view text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size();
}

/// Quotation marks of a text processor.
std::string_view without_curly_quotes(std::string_view text) {
  constexpr std::string_view kCurly[] = {"\u201c", "\u201d", "\u201e", "\u2018", "\u2019"};
  for (const std::string_view mark : kCurly)
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
  for (const std::string_view mark : kCurly)
    if (text.ends_with(mark)) text.remove_suffix(mark.size());
  return text;
}

/// What is written instead of a value without quotes; empty if nothing is wrong with it.
std::string value_remedy(std::string_view key, std::string_view token) {
  const std::string before = key.empty() ? "" : std::string(key) + " = ";
  if (token == "True" || token == "yes" || token == "on") return "write " + before + "true";
  if (token == "False" || token == "no" || token == "off") return "write " + before + "false";
  if (token == "true" || token == "false" || is_number(token) || token.find_first_of("\"'") != token.npos) return {};
  if (std::string number = token.ends_with('%') ? number_remedy(key, token) : ""; !number.empty()) return number;
  if (key == "command") return list_remedy(key, token);
  return "text needs quotes: " + before + quoted(without_curly_quotes(token));
}

std::uint32_t column_of(std::string_view line, std::size_t offset) {
  const auto before = line.substr(0, offset);
  return static_cast<std::uint32_t>(
      1 + std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Behind the end of the string that begins at `at`.
std::size_t behind_string(std::string_view line, std::size_t at) {
  const char quote = line[at++];
  while (at < line.size() && line[at] != quote) at += line[at] == '\\' && quote == '"' ? 2 : 1;
  return std::min(at + 1, line.size());
}

/// `KEY: VALUE` as in YAML.
std::optional<Diagnostic> colon_remedy(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view key = trimmed(line.substr(0, colon)),
                         rest = trimmed(line.substr(std::min(colon, line.size())));
  if (!is_key(key) || is_digit(key.front()) || rest.size() < 2) return std::nullopt;  // not 127.0.0.1:8000
  const std::string_view value = trimmed(rest.substr(1));
  const std::string remedy = value_remedy(key, value);
  const bool ready = remedy.empty() || value.front() == '[' || value.front() == '{' || value.front() == '"';
  return Diagnostic{0, column_of(line, colon),
                    "a key and its value are separated by \"=\": " +
                        (ready ? "write " + std::string(key) + " = " + std::string(value) : remedy)};
}

}  // namespace

// The parser reports some byte near the mistake. The line is searched for the first value that is neither a text in
// quotes nor a number nor a boolean.
std::optional<Diagnostic> syntax_remedy(std::string_view text, std::uint32_t number) {
  const std::string_view line = line_of(text, number);
  if (auto found = colon_remedy(line)) {
    found->line = number;
    return found;
  }
  const bool has_key = line.find('=') != line.npos;
  if (!has_key && trimmed(line).starts_with('[')) return std::nullopt;  // the head of a table
  std::string_view key;
  bool expects_value = !has_key;
  for (std::size_t at = 0; at < line.size();) {
    const char c = line[at];
    if (c == '#') return std::nullopt;
    if (c == '"' || c == '\'') {
      at = behind_string(line, at);
      expects_value = false;
    } else if (kBlank.find(c) != kBlank.npos || kMarks.find(c) != kMarks.npos) {
      if (c == '{' || c == '[') key = {};
      if (c == '[' || c == '=' || c == ',') expects_value = true;
      ++at;
    } else {
      const std::size_t end = std::min(line.find_first_of(expects_value ? ",]}#=" : "=", at), line.size());
      const std::string_view token = trimmed(line.substr(at, end - at));
      if (end < line.size() && line[end] == '=') {
        key = is_key(token) ? token : std::string_view();
      } else if (expects_value) {
        std::string remedy = value_remedy(key, token);
        if (!remedy.empty()) return Diagnostic{number, column_of(line, at), std::move(remedy)};
      }
      expects_value = false;
      at = end;
    }
  }
  return std::nullopt;
}

std::string list_remedy(std::string_view key, std::string_view text) {
  std::string items;
  const auto add = [&](std::string_view item) { items += (items.empty() ? "" : ", ") + quoted(item); };
  constexpr std::string_view kOfShells = "|&;<>()$`\\\"'*?~";
  if (key != "command") {
    add(text);
  } else if (text.find_first_of(kOfShells) != text.npos) {
    return R"(write a list: command = ["PROGRAM", "ARGUMENT"]; for a line of a shell: ["sh", "-c", "exec ..."])";
  } else {
    for (std::string_view rest = trimmed(text); !rest.empty();) {
      const std::size_t end = std::min(rest.find_first_of(kBlank), rest.size());
      add(rest.substr(0, end));
      rest = trimmed(rest.substr(end));
    }
  }
  return "write a list: " + std::string(key) + " = [" + items + "]";
}

std::string number_remedy(std::string_view key, std::string_view text) {
  std::string_view number = trimmed(text);
  if (number.ends_with('%')) number = trimmed(number.substr(0, number.size() - 1));
  if (!is_number(number)) return {};
  return "write " + (key.empty() ? "" : std::string(key) + " = ") + std::string(number);
}

std::string word_remedy(std::string_view word, const std::vector<std::string_view>& words) {
  const auto lower = [](std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  };
  const std::string plain = lower(word);
  for (const std::string_view one : words)
    if (plain == lower(one) || plain == "sig" + lower(one)) return ": write " + quoted(one);
  return did_you_mean(word, words);
}

std::string listener_remedy(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://", "tcp://"})
    if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  if (text.starts_with('/') || text.starts_with("./")) return "write \"unix:" + std::string(text) + "\"";
  const std::size_t colon = text.rfind(':');
  const std::string_view host = text.substr(0, std::min(colon, text.size()));
  const std::string_view port = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  const auto is_port = [](std::string_view digits) {
    return !digits.empty() && digits.size() <= 5 && std::ranges::all_of(digits, is_digit);
  };
  if (colon == text.npos && is_port(text)) return "write \"127.0.0.1:" + std::string(text) + "\"";
  if (parse_ip(text) && text.find(':') == text.npos)
    return "the port is missing: write \"" + std::string(text) + ":8000\"";
  if (!is_port(port)) return {};
  if (host.empty() || host == "*")
    return "write \"0.0.0.0:" + std::string(port) + "\" for every interface, or \"127.0.0.1:" + std::string(port) +
           "\"";
  if (host == "localhost") return "names are not looked up: write \"127.0.0.1:" + std::string(port) + "\"";
  if (const auto ip = parse_ip(host); ip && ip->kind == Address::Kind::ipv6)
    return "write \"[" + std::string(host) + "]:" + std::string(port) + "\"";
  return is_key(host) && !parse_ip(host) ? "names are not looked up: write the IP address of an interface" : "";
}

std::string foreign_key_remedy(std::string_view kind, std::string_view key) {
  struct Foreign {
    std::string_view kind, remedy;
    std::vector<std::string_view> keys;
  };
  static const std::vector<Foreign> all = {
      {"version", "instances = 2", {"replicas", "workers", "processes", "count", "scale", "num_instances"}},
      {"version",
       "command = [\"PROGRAM\", \"ARGUMENT\"]",
       {"cmd", "exec", "start", "run", "args", "script", "program"}},
      {"version", "env = { NAME = \"value\" }", {"environment", "envs", "variables"}},
      {"version", "cwd = \"FOLDER\"", {"dir", "directory", "workdir", "working_dir", "working_directory", "folder"}},
      {"version", "weight = 5", {"percent", "percentage", "traffic", "canary", "share"}},
      {"version",
       "health = { path = \"/healthz\" }",
       {"health_path", "healthcheck", "health_check", "healthcheck_path", "health_url", "readiness", "liveness",
        "probe"}},
      {"version", "health = { path = \"/healthz\", interval = \"1s\" }", {"health_interval"}},
      {"version",
       "stop = { signal = \"TERM\", timeout = \"10s\" }",
       {"stop_signal", "stop_timeout", "kill_signal", "kill_timeout", "grace_period", "stopsignal"}},
      {"version", "memory = \"512MiB\"", {"max_memory", "memory_limit", "max_memory_restart"}},
      {"version", "listen = \"port\": grayd gives each worker its own port in the variable PORT", {"port", "ports"}},
      {"version", "user = \"NAME\"", {"uid", "run_as", "group", "gid"}},
      {"service", "hosts = [\"example.com\"]", {"host", "domain", "domains", "server_name"}},
      {"service", "paths = [\"/api\"]", {"path", "prefix", "location", "route"}},
      {"service", "stable = \"v1\"", {"default", "current", "live", "primary"}},
      {"limits", "max_sockets = 64", {"max_connections", "maxconn", "connections", "pool_size"}},
      {"limits", "request_timeout = \"60s\"", {"timeout", "read_timeout", "proxy_read_timeout", "response_timeout"}},
      {"limits", "body = \"1GiB\"", {"max_body", "max_body_size", "client_max_body_size", "body_size"}},
      {"limits", "idle_timeout = \"75s\"", {"keepalive", "keep_alive", "keepalive_timeout", "keep_alive_timeout"}},
      {"listen", "http = [\"127.0.0.1:8000\"]", {"port", "address", "addresses", "bind", "tcp", "host"}},
      {"health", "path = \"/healthz\"", {"url", "uri", "endpoint", "http"}},
      {"health", "fall = 3", {"retries", "failures", "failure_threshold", "unhealthy_threshold"}},
      {"health", "rise = 2", {"success_threshold", "healthy_threshold"}},
      {"stop", "timeout = \"10s\"", {"grace", "grace_period", "wait"}},
      {"router", "threads = 0", {"workers", "worker_processes", "cores"}},
      {"", "access_log = \"run/access.log\"", {"log", "logs", "log_file", "logfile"}},
      {"", "[listen] http = [\"127.0.0.1:8000\"]", {"port", "bind", "address", "http"}},
      {"", "[service.web]", {"services", "app", "apps", "upstream", "upstreams", "backend", "backends"}},
  };
  for (const Foreign& one : all)
    if (one.kind == kind && std::ranges::find(one.keys, key) != one.keys.end())
      return ": write " + std::string(one.remedy);
  return {};
}

std::string_view table_of(std::string_view kind) {
  constexpr std::pair<std::string_view, std::string_view> kTables[] = {
      {"", "the top of the file"},
      {"listen", "[listen]"},
      {"router", "[router]"},
      {"memory", "[memory]"},
      {"service", "[service.NAME]"},
      {"limits", "[service.NAME.limits]"},
      {"version", "[service.NAME.version.VERSION]"},
      {"release", "[service.NAME.release]"},
      {"rollout", "[service.NAME.rollout]"},
      {"allowlist", "[service.NAME.allowlist]"},
      {"rule", "[[service.NAME.rule]]"},
      {"health", "health = { ... } of a version"},
      {"stop", "stop = { ... } of a version"},
  };
  for (const auto& [name, table] : kTables)
    if (name == kind) return table;
  return {};
}

}  // namespace gray

#include "control/grayctl/why/why.hpp"

#include <fmt/format.h>

#include <ostream>

#include "control/explain/logged_request.hpp"
#include "control/grayctl/why/curl.hpp"
#include "control/grayctl/why/replay.hpp"
#include "control/grayctl/why/shell_words.hpp"
#include "control/grayctl/why/why_view.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr const char* kForms =
    "say which request: an X-Request-Id, a curl command line (grayctl why -- curl ...), or --path PATH";

/// Where the log is: as asked, or as grayd says.
Outcome locate_log(Client& client, const std::string& asked, std::string& file) {
  if (!asked.empty()) {
    file = asked;
    return {};
  }
  Outcome outcome{client.get("why"), {}};
  if (outcome.answer.code == ExitCode::no_daemon)
    outcome.answer.error += "; or name an access log: grayctl why REQUEST_ID --log FILE";
  if (outcome.answer.code != ExitCode::ok) return outcome;
  file = outcome.answer.body.value("access_log", "");
  if (!file.empty()) return outcome;
  return failed(ExitCode::failed,
                "the access log is off, so nothing is known about past requests; set access_log, or describe the "
                "request: grayctl why --help");
}

Outcome why_id(Client& client, const Command& command, const Terminal& terminal) {
  const std::string& id = command.why.words.front();
  std::string file;
  if (Outcome located = locate_log(client, command.why.log, file); file.empty()) return located;
  Reply reply = explain_logged(find_request({file, file + ".1"}, id), id, file);
  if (reply.code != ExitCode::ok) return failed(reply.code, std::move(reply.error));
  std::string view = view_why(reply.body, terminal);
  return {{.code = ExitCode::ok, .body = std::move(reply.body), .error = {}}, std::move(view)};
}

Outcome ask(Client& client, const json& args, const Terminal& terminal) {
  Outcome outcome{client.post("why", args), {}};
  if (outcome.answer.code == ExitCode::ok) outcome.text = view_why(outcome.answer.body, terminal);
  return outcome;
}

void add_given(json& args, const char* name, const std::string& value) {
  if (!value.empty()) args[name] = value;
}

std::string lines_of(const std::vector<std::string>& headers) {
  std::string lines;
  for (const std::string& header : headers) lines += header + "\n";
  return lines;
}

Outcome why_described(Client& client, const Command& command, const Terminal& terminal) {
  const auto& why = command.why;
  if (why.words.size() > 1) return failed(ExitCode::usage, "with --path, at most a SERVICE may follow");
  for (const std::string& header : why.headers)
    if (header.find(':') == header.npos || header.find_first_of("\r\n") != header.npos)
      return failed(ExitCode::usage, fmt::format("--header takes \"Name: value\", not \"{}\"", header));
  json args = {{"path", why.path}};
  if (!why.words.empty()) args["service"] = why.words.front();
  add_given(args, "method", why.method);
  add_given(args, "host", why.host);
  add_given(args, "client", why.client);
  add_given(args, "headers", lines_of(why.headers));
  return ask(client, args, terminal);
}

Outcome why_curl(Client& client, const std::vector<std::string>& words, const Command& command,
                 const Terminal& terminal, std::ostream& err) {
  auto read = read_curl(words);
  if (auto* error = std::get_if<std::string>(&read)) return failed(ExitCode::usage, std::move(*error));
  const auto& request = std::get<CurlRequest>(read);
  for (const std::string& warning : request.warnings) err << "grayctl: warning: " << warning << "\n";
  json args = {{"method", request.method}, {"host", request.host}, {"path", request.path}};
  add_given(args, "client", command.why.client.empty() ? request.client : command.why.client);
  add_given(args, "headers", lines_of(request.headers));
  return ask(client, args, terminal);
}

/// The words behind "curl", if these words are a curl command line.
std::optional<std::vector<std::string>> curl_words(const std::vector<std::string>& words, std::string& error) {
  std::vector<std::string> all = words;
  if (words.size() == 1 && words.front().find_first_of(" \t\n") != std::string::npos) {
    auto split = shell_words(words.front());
    if (auto* fault = std::get_if<std::string>(&split)) {
      error = *fault;
      return std::nullopt;
    }
    all = std::get<std::vector<std::string>>(std::move(split));
  }
  if (all.empty() || (all.front() != "curl" && !all.front().ends_with("/curl"))) return std::nullopt;
  all.erase(all.begin());
  return all;
}

}  // namespace

Outcome run_why(Client& client, const Command& command, const Terminal& terminal, std::ostream& err) {
  const auto& why = command.why;
  if (!why.replay.empty()) {
    if (!why.words.empty() || !why.path.empty()) return failed(ExitCode::usage, "--replay takes no request");
    return run_replay(why.replay, why.ids);
  }
  if (!why.ids.empty()) return failed(ExitCode::usage, "--ids needs --replay FILE");
  if (!why.path.empty()) return why_described(client, command, terminal);
  if (why.words.empty()) return failed(ExitCode::usage, fmt::format("{}; see grayctl why --help", kForms));
  std::string error;
  if (const auto curl = curl_words(why.words, error)) return why_curl(client, *curl, command, terminal, err);
  if (!error.empty()) return failed(ExitCode::usage, error);
  if (!why.headers.empty() || !why.host.empty() || !why.method.empty())
    return failed(ExitCode::usage, "--header, --host and --method describe a request, and need --path PATH");
  if (why.words.size() > 1)
    return failed(ExitCode::usage, fmt::format("\"{}\" is not a request; {}", why.words[1], kForms));
  return why_id(client, command, terminal);
}

}  // namespace gray::control

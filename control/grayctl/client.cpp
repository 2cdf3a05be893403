#include "control/grayctl/client.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "config/base/socket_search.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::size_t kMostRefusal = 1 << 20;  // bytes

Answer failure(ExitCode code, std::string error) { return {.code = code, .body = {}, .error = std::move(error)}; }

/// Why the connection failed. The library does not report errno, so the path is checked again.
Answer not_connected(const std::string& socket) {
  if (::access(socket.c_str(), R_OK | W_OK) == 0) errno = ECONNREFUSED;
  if (errno == EACCES)
    return failure(
        ExitCode::denied,
        fmt::format("no permission to use the socket {}; run grayctl as its owner or as a member of its group",
                    socket));
  const char* why = errno == ENOENT         ? "there is no such file"
                    : errno == ECONNREFUSED ? "no process listens"
                                            : std::strerror(errno);
  return failure(
      ExitCode::no_daemon,
      fmt::format(
          "no grayd answers at {}: {}; start one with \"grayd --config FILE\", or name its socket with --socket PATH",
          socket, why));
}

Answer no_answer(const std::string& socket, bool in_time) {
  if (in_time)
    return failure(ExitCode::failed,
                   fmt::format("grayd at {} closed the connection without an answer; see its log", socket));
  return failure(ExitCode::timeout, fmt::format("grayd at {} does not answer; see its log", socket));
}

/// The exit code of a failure; `failed` if the answer has no known exit code.
ExitCode code_of(const json& body) {
  auto found = body.find("exit_code");
  bool known = found != body.end() && found->is_number_integer() && *found >= 1 && *found <= 8;
  return known ? static_cast<ExitCode>(found->get<int>()) : ExitCode::failed;
}

Answer read_answer(const httplib::Response& response, const std::string& socket) {
  json body = json::parse(response.body, nullptr, false);
  if (!body.is_object())
    return failure(ExitCode::failed,
                   fmt::format("the program at {} is not grayd: status {} without JSON", socket, response.status));
  if (response.status == 200) return {.code = ExitCode::ok, .body = std::move(body), .error = {}};
  auto error = body.find("error");
  std::string text = error != body.end() && error->is_string()
                         ? error->get<std::string>()
                         : fmt::format("grayd answered with status {}", response.status);
  const ExitCode code = code_of(body);
  return {.code = code, .body = std::move(body), .error = std::move(text)};
}

/// A verb of several words has hyphens between them.
std::string path_of(std::string_view verb) {
  std::string path = fmt::format("/v1/{}", verb);
  std::ranges::replace(path, ' ', '-');
  return path;
}

}  // namespace

std::string find_socket(std::string_view asked) { return asked.empty() ? usual_socket() : std::string(asked); }

void Interrupt::now() {
  const std::lock_guard guard(mutex_);
  given_ = true;
  if (stop_) stop_();
}

bool Interrupt::given() const {
  const std::lock_guard guard(mutex_);
  return given_;
}

template <typename Send>
Answer Client::exchange(Send send) {
  if (socket_.size() >= sizeof sockaddr_un::sun_path)
    return failure(ExitCode::usage, fmt::format("the socket path {} has {} bytes, the limit is {}", socket_,
                                                socket_.size(), sizeof sockaddr_un::sun_path - 1));
  httplib::Client http(socket_, 80);  // a unix socket has no port, but the library refuses 0
  http.set_address_family(AF_UNIX);
  http.set_default_headers({{"Host", "grayd"}});
  http.set_read_timeout(timeout_);
  const TimePoint begin = Clock::now();
  httplib::Result result = send(http);
  if (result) return read_answer(*result, socket_);
  if (result.error() == httplib::Error::Connection) return not_connected(socket_);
  return no_answer(socket_, Clock::now() - begin < timeout_);
}

Answer Client::get(std::string_view verb, const json& args) {
  httplib::Params query;
  for (const auto& [name, value] : args.items())
    query.emplace(name, value.is_string() ? value.get<std::string>() : value.dump());
  return exchange([&](httplib::Client& http) { return http.Get(path_of(verb), query, httplib::Headers{}); });
}

Answer Client::post(std::string_view verb, const json& args) {
  std::string body = args.dump(-1, ' ', false, json::error_handler_t::replace);
  return exchange([&](httplib::Client& http) { return http.Post(path_of(verb), body, "application/json"); });
}

Answer Client::follow(std::string_view verb, const std::function<bool(std::string_view bytes)>& take,
                      Interrupt& interrupt) {
  bool streams = false;
  std::string refusal;  // the body of another answer
  const auto on_head = [&](const httplib::Response& response) {
    streams = response.status == 200;
    return true;
  };
  const auto on_bytes = [&](const char* bytes, std::size_t size) {
    if (interrupt.given()) return false;
    if (streams) return take({bytes, size});
    refusal.append(bytes, size);
    return refusal.size() <= kMostRefusal;
  };
  if (interrupt.given()) return failure(ExitCode::failed, "interrupted");
  Answer end = exchange([&](httplib::Client& http) {
    {
      const std::lock_guard guard(interrupt.mutex_);
      interrupt.stop_ = [&http] { http.stop(); };
    }
    httplib::Result result = http.Get(path_of(verb), httplib::Headers{}, on_head, on_bytes);
    const std::lock_guard guard(interrupt.mutex_);
    interrupt.stop_ = nullptr;
    if (result) result->body = streams ? "{}" : refusal;
    return result;
  });
  return end.code == ExitCode::ok
             ? failure(ExitCode::no_daemon, fmt::format("grayd at {} has ended the stream", socket_))
             : end;
}

}  // namespace gray::control

// Model: a poll(2) loop over the listener, the clients and one eventfd, by which the end of the server and answers of
// the daemon announce themselves. A client reads its request, waits for a text, writes it, and is gone. Answers go
// through a mailbox that both sides own: one that comes after the end of the server meets nobody.
#include "control/api/metrics_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {
namespace {

constexpr int kRetryAcceptMs = 100;
constexpr Duration kFarewell{1'000};  // for those who are there when the server ends

std::string response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     type, body.size(), body);
}

std::string refusal(std::string_view status, std::string_view why) {
  return response(status, "text/plain", fmt::format("{}\n", why));
}

/// Whether the request line asks for the metrics; its query, if it has one, says nothing.
bool wants_metrics(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  constexpr std::string_view kAsk = "GET /metrics";
  if (!line.starts_with(kAsk)) return false;
  const std::string_view rest = line.substr(kAsk.size());
  return (rest.starts_with(' ') || rest.starts_with('?')) &&
         (rest.ends_with(" HTTP/1.1") || rest.ends_with(" HTTP/1.0"));
}

struct Mailbox {
  explicit Mailbox() : bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!bell) throw std::system_error(errno, std::generic_category(), "eventfd of the metrics server");
  }
  void ring() { ::eventfd_write(bell.get(), 1); }

  UniqueFd bell;
  std::mutex mutex;
  std::optional<Reply> answer;  // under the mutex, like the next
  bool ending = false;
  bool closing = false;  // nobody else comes in
};

struct Scraper {
  enum class Stage { reading, waiting, writing };
  UniqueFd fd;
  TimePoint deadline;
  Stage stage = Stage::reading;
  std::string bytes;  // the request, then the answer
  std::size_t sent = 0;

  short events() const { return stage == Stage::reading ? POLLIN : stage == Stage::writing ? POLLOUT : short{0}; }
  void say(std::string text) {
    bytes = std::move(text);
    stage = Stage::writing;
  }
};

}  // namespace

struct MetricsServer::Impl {
  Impl(int listening, Daemon& the_daemon, Duration client_timeout)
      : listener(listening), daemon(the_daemon), timeout(client_timeout) {
    thread = quiet_thread([this] { run(); });
  }

  ~Impl() {
    {
      std::lock_guard guard(mailbox->mutex);
      mailbox->ending = true;
    }
    mailbox->ring();
    thread.join();
  }

  void end() {
    {
      std::lock_guard guard(mailbox->mutex);
      mailbox->closing = true;
    }
    mailbox->ring();
  }

  void run() {
    serve_all();
    ended = true;
  }

  void serve_all() {
    while (open_mail() && !(closed && clients.empty())) {
      std::vector<pollfd> entries{{mailbox->bell.get(), POLLIN, 0}, {closed ? -1 : listener, POLLIN, 0}};
      for (const auto& client : clients) entries.push_back({client.fd.get(), client.events(), 0});
      ::poll(entries.data(), entries.size(), clients.empty() ? -1 : milliseconds_left());
      auto entry = entries.begin() + 2;
      const TimePoint now = Clock::now();
      std::erase_if(clients, [&](Scraper& client) {
        const short seen = (entry++)->revents;
        return now >= client.deadline || (seen != 0 && !serve(client, seen));
      });
      if (entries[1].revents != 0) accept(now);
      if (anybody_waits()) ask(now);
    }
  }

  int milliseconds_left() const {
    const auto left = std::chrono::ceil<Duration>(clients.front().deadline - Clock::now());
    return static_cast<int>(std::clamp(left, Duration{0}, timeout).count());
  }

  /// Takes an answer in; false once the server ends.
  bool open_mail() {
    eventfd_t rung = 0;
    ::eventfd_read(mailbox->bell.get(), &rung);
    std::unique_lock guard(mailbox->mutex);
    if (mailbox->ending) return false;
    auto answer = std::exchange(mailbox->answer, std::nullopt);
    const bool closes = mailbox->closing && !std::exchange(closed, true);
    guard.unlock();
    if (closes) hurry(Clock::now() + kFarewell);
    if (!answer) return true;
    asked = false;
    answered_at = Clock::now();
    text = answer->code == ExitCode::ok
               ? response("200 OK", "text/plain; version=0.0.4", answer->body.value("text", ""))
               : refusal("500 Internal Server Error", answer->error);
    give_text();
    return true;
  }

  void hurry(TimePoint until) {
    for (auto& client : clients) client.deadline = std::min(client.deadline, until);
  }

  void give_text() {
    for (auto& client : clients)
      if (client.stage == Scraper::Stage::waiting) client.say(text);
  }

  bool anybody_waits() const {
    return std::ranges::any_of(clients, [](const auto& client) { return client.stage == Scraper::Stage::waiting; });
  }

  void ask(TimePoint now) {
    if (asked) return;
    if (!text.empty() && now - answered_at < kFresh) return give_text();
    asked = true;
    daemon.call("metrics", nlohmann::json::object(), [box = mailbox](Reply reply) {
      {
        std::lock_guard guard(box->mutex);
        box->answer = std::move(reply);
      }
      box->ring();
    });
  }

  /// Who came first has had the longest time.
  void accept(TimePoint now) {
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && errno != EAGAIN) ::poll(nullptr, 0, kRetryAcceptMs);  // out of descriptors: the listener stays readable
    if (!fd) return;
    if (clients.size() == kClients) clients.pop_front();
    clients.push_back({.fd = std::move(fd), .deadline = now + timeout, .bytes = {}});
  }

  /// False: it is done, or gone.
  bool serve(Scraper& client, short seen) {
    if (client.stage == Scraper::Stage::reading) return read(client);
    if (client.stage == Scraper::Stage::writing) return write(client);
    return (seen & (POLLHUP | POLLERR)) == 0;
  }

  bool read(Scraper& client) {
    char chunk[kHead];
    const ssize_t got = ::recv(client.fd.get(), chunk, sizeof chunk, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    client.bytes.append(chunk, static_cast<std::size_t>(got));
    const bool whole = client.bytes.find("\r\n\r\n") != std::string::npos;
    if (whole && wants_metrics(client.bytes))
      client.stage = Scraper::Stage::waiting;
    else if (whole)
      client.say(refusal("404 Not Found", "there is nothing here but GET /metrics"));
    else if (client.bytes.size() > kHead)
      client.say(refusal("431 Request Header Fields Too Large", "the request head is longer than 4 KiB"));
    return true;
  }

  bool write(Scraper& client) {
    const std::string_view left = std::string_view(client.bytes).substr(client.sent);
    const ssize_t sent = ::send(client.fd.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    client.sent += static_cast<std::size_t>(sent);
    return client.sent < client.bytes.size();
  }

  int listener;
  Daemon& daemon;
  Duration timeout;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::list<Scraper> clients;  // oldest first
  std::string text;            // the last answer, whole
  TimePoint answered_at{};
  bool asked = false;
  bool closed = false;  // nobody else is accepted
  std::atomic<bool> ended{false};
  std::thread thread;
};

MetricsServer::MetricsServer(int listener, Daemon& daemon, Duration timeout)
    : impl_(std::make_unique<Impl>(listener, daemon, timeout)) {}
MetricsServer::~MetricsServer() = default;
void MetricsServer::end() { impl_->end(); }
bool MetricsServer::ended() const { return impl_->ended; }

}  // namespace gray::control

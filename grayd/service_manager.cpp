#include "grayd/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace gray::master {
namespace {

std::optional<std::uint64_t> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, value);
  return error == std::errc{} && rest == end ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<Duration> watchdog_interval(const char* usec, const char* pid) {
  const auto period = number(usec);
  if (!period || *period < 2'000) return std::nullopt;
  if (pid != nullptr && number(pid) != static_cast<std::uint64_t>(::getpid())) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::microseconds(*period / 2));
}

ServiceManager::ServiceManager(asio::io_context& io)
    : interval_(watchdog_interval(std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"))), timer_(io) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (*path != '/' && *path != '@')) return;
  if (std::strlen(path) >= sizeof(sockaddr_un::sun_path)) return;
  path_ = path;
  socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

void ServiceManager::ready(const std::string& status) {
  if (status == serving_) return;
  serving_ = status;
  notify("READY=1\nSTATUS=" + status);
}

void ServiceManager::not_ready(const std::string& status) {
  if (!serving_.empty()) return ready(status);  // it cannot be taken back
  notify("STATUS=" + status);
}

void ServiceManager::reloaded(bool accepted) {
  if (!serving_.empty()) notify("READY=1\nSTATUS=" + serving_ + (accepted ? "" : "; the last reload was refused"));
}

// systemd compares the time with that of its own request, so that an answer to an older request is not mistaken for
// this one.
void ServiceManager::reloading() {
  if (serving_.empty()) return;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceManager::stopping(const std::string& status) { notify("STOPPING=1\nSTATUS=" + status); }

void ServiceManager::watch() {
  if (path_.empty() || !interval_) return;
  notify("WATCHDOG=1");
  timer_.expires_after(*interval_);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) watch();
  }));
}

// Never waits for the service manager: if its socket is full, the message is lost.
void ServiceManager::notify(const std::string& text) const {
  if (path_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (path_.front() == '@') address.sun_path[0] = '\0';  // an abstract name
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  (void)!::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                  length);
}

}  // namespace gray::master

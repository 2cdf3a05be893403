#include "control/dashboard/dashboard_server.hpp"

#include <sys/socket.h>

#include <string>
#include <utility>

#include "config/base/address.hpp"

namespace gray::control {
namespace {

/// The IP of the client; empty if it is gone.
std::string client_ip(int connection) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getpeername(connection, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  const auto address = Address::from(storage, length);
  return address ? address->ip_text() : std::string();
}

}  // namespace

DashboardServer::DashboardServer(int listener, Daemon& daemon, LiveFeed& feed, bool writable,
                                 std::function<void()> ended, PageFiles page)
    : page_(std::move(page)),
      shared_{daemon, feed, seats_, searches_, page_, writable},
      server_(
          listener, {.threads = kThreads}, arrival_of_request,
          [this](int connection, std::string received, const CutOff& cut_off) {
            const FdStream::Bounds bounds{.request_bytes = DashboardApi::kRequestBytes, .end = Clock::now() + kTimeout};
            FdStream client(connection, cut_off, bounds, std::move(received));
            DashboardApi(shared_, cut_off, client, client_ip(connection)).serve(connection);
          },
          std::move(ended)) {}

DashboardServer::~DashboardServer() {
  server_.end();
  server_.cut();
}

}  // namespace gray::control

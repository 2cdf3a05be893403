#include "control/api/admin_server.hpp"

#include <string>
#include <utility>

namespace gray::control {
namespace {

constexpr std::size_t kThreads = 8;
constexpr int kSeats = 4;  // threads for callers that wait for an event: the others stay free

}  // namespace

AdminServer::AdminServer(int listener, Daemon& daemon, std::function<void()> ended, LiveFeed* feed)
    : seats_(kSeats),
      server_(
          listener, {.threads = kThreads}, arrival_of_request,
          [this, &daemon, feed](int connection, std::string received, const CutOff& cut_off) {
            AdminApi(daemon, cut_off, seats_, feed).serve(connection, std::move(received));
          },
          std::move(ended)) {}

}  // namespace gray::control

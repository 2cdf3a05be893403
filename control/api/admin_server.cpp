#include "control/api/admin_server.hpp"

namespace gray::control {
namespace {

constexpr std::size_t kThreads = 8;
constexpr int kSeats = 4;  // threads for callers that wait for an event: the others stay free

}  // namespace

AdminServer::AdminServer(int listener, Daemon& daemon, std::function<void()> ended)
    : seats_(kSeats),
      server_(
          listener, {.threads = kThreads},
          [this, &daemon](int connection, const CutOff& cut_off) {
            AdminApi(daemon, cut_off, seats_).serve(connection);
          },
          std::move(ended)) {}

}  // namespace gray::control

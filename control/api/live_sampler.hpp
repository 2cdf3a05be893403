#pragma once
// Asks the Daemon for what a picture of the live feed consists of, while it is wanted: one round of questions at most
// every kInterval, and never a second one before the first is answered. It runs on the thread of the io_context; the
// Daemon answers on its own.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "control/daemon.hpp"
#include "control/live/picture.hpp"

namespace gray::control {

class LiveSampler {
 public:
  static constexpr Duration kInterval{500};
  static constexpr Duration kStale{5'000};     // figures that are older are not continued
  static constexpr unsigned kDetailsEach = 2;  // rounds: output and rollouts change more slowly than figures

  /// `made`: gets the text of each picture. `daemon` outlives it.
  LiveSampler(asio::io_context& io, Daemon& daemon, bool writable, std::function<void(const std::string&)> made);
  ~LiveSampler();  // answers that come later are dropped
  /// Asks now, and then each kInterval. Without an effect while it does.
  void start();
  void stop();
  LiveSampler(const LiveSampler&) = delete;
  LiveSampler& operator=(const LiveSampler&) = delete;

 private:
  struct Gate;
  using Take = std::function<void(LiveSampler& self, const Reply& reply)>;

  void ask_all();
  void ask(const std::string& verb, nlohmann::json args, Take take);
  void ask_rollout(const std::string& service);
  void answered();
  void arm();

  asio::io_context& io_;
  Daemon& daemon_;
  const bool writable_;
  const std::function<void(const std::string&)> made_;
  Picture picture_;
  asio::steady_timer timer_;
  std::shared_ptr<Gate> gate_;
  TimePoint begun_{};  // of the last round
  std::optional<TimePoint> last_status_;
  bool wanted_ = false, fresh_ = false;
  unsigned asked_ = 0, rounds_ = 0;
};

}  // namespace gray::control

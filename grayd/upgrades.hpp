#pragma once
// The verb `upgrade` and the replacement of routers that a reload asks for: at most one at a time. Each upgrade has a
// number and a result, which callers find in the status, also after grayd itself was replaced. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "control/daemon.hpp"
#include "control/report/report_source.hpp"
#include "grayd/handoff/binary_upgrade.hpp"
#include "grayd/process/lifetime.hpp"
#include "grayd/routers/routers.hpp"

namespace gray::master {

class Upgrades {
 public:
  static constexpr Duration kTimeout{60'000};  // of an upgrade without upgrade_timeout_ms
  static constexpr Duration kMaxTimeout{3'600'000};
  static constexpr Duration kRetry{1'000};  // of a router upgrade for the settings in force

  static constexpr std::size_t kKept = 16;

  struct Dependencies {
    asio::io_context& io;
    const Settings& settings;
    const control::Phase& phase;
    Routers& routers;
    EventSink& events;
    BinaryUpgrade::Host& grayd;
  };
  explicit Upgrades(Dependencies dependencies);

  /// Starts one and answers at once with its number. `args`: "of": "router" or "grayd"; "upgrade_timeout_ms": until the
  /// new one serves (the admin API's own "timeout_ms" bounds the call); "binary", for grayd only: an absolute path;
  /// without it, the file that this grayd was started from.
  control::Reply begin(const nlohmann::json& args);
  /// Whether the caller of a verb may run any program: permission to use the admin socket does not include that.
  static bool may_run_programs(const nlohmann::json& args);
  /// "upgrade_timeout_ms" of a verb, or the default; nothing if it is invalid.
  static std::optional<Duration> timeout_in(const nlohmann::json& args);
  /// As control::ReloadHost::renew_routers.
  unsigned renew_for_reload(const Settings& fresh, Duration timeout,
                            std::function<control::Reply(const control::Reply&)> then);
  /// A router has other settings than those in force: new routers are tried until one has these.
  void upgrade_for_settings();
  /// A reload, which may need an upgrade, begins.
  void reload_asked_by(const std::string& actor) {
    if (under_way().empty()) by_ = actor;
  }
  /// The upgrade that runs, and who asked for it, for callers that must wait for its end; empty: none.
  std::string under_way() const;
  /// Why nothing can be changed now: grayd is being replaced; empty: it is not.
  std::string locks() const;
  /// The last kKept upgrades, oldest first: a waiting caller may poll late.
  std::vector<control::UpgradeView> views() const;

  /// A condition that an upgrade of grayd waits for may have changed.
  void changed() {
    if (binary_upgrade_) binary_upgrade_->changed();
  }
  /// Null while grayd is not being upgraded.
  const BinaryUpgrade* binary_upgrade() const { return binary_upgrade_ ? &*binary_upgrade_ : nullptr; }
  /// The replacement of grayd has ended; it may have been started by the previous image.
  void replaced(CheckEnd end);
  /// The new image has failed and returned to this one.
  void returned(const std::string& why);

  template <class Io>
  void archive(Io& io);

 private:
  control::Reply begun(const char* of);
  control::Reply replace(const nlohmann::json& args, Duration timeout);
  bool upgrade(Duration timeout, std::function<void(const RouterUpgradeEnd&)> done);
  void upgrade_ended(const RouterUpgradeEnd& end);
  void retry_settings();
  void finish(const RouterUpgradeEnd& end);
  void record(const RouterUpgradeEnd& end);

  Dependencies to_;
  std::deque<control::UpgradeView> known_;  // at most kKept
  bool settings_pending_ = false;
  std::string by_;            // who asked for the upgrade that runs
  std::string program_;       // the file that this image was started from, by its name at that time
  std::string next_program_;  // the file of the next image
  std::optional<BinaryUpgrade> binary_upgrade_;
  asio::steady_timer retry_;
  Lifetime lifetime_;
};

}  // namespace gray::master

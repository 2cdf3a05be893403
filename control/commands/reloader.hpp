#pragma once
// Reads the configuration again and applies it, completely or not at all: everything that can be refused is refused
// before anything is changed. Keeps the settings of the last read, and counts the reads. Main thread.
//
// Changes that need a new router are applied when it serves; until then the old settings are in force, and they stay if
// it cannot. Meanwhile other reloads are refused, but other verbs are not: an abort must not wait. If one of them makes
// the changes impossible, the reload is refused then, and the routers get the old settings again.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings/config_file.hpp"
#include "config/settings/settings.hpp"
#include "config/settings/settings_diff.hpp"
#include "config/shared/event_record.hpp"
#include "config/shared/version_view.hpp"
#include "control/daemon.hpp"
#include "control/report/report_source.hpp"
#include "control/traffic/live_state.hpp"

namespace gray::control {

/// The process in which the reload runs.
class ReloadHost {
 public:
  virtual ~ReloadHost() = default;
  /// Why nothing can be changed now, as text; empty: changes are allowed.
  virtual std::string not_now() const = 0;
  /// Why routers cannot get new settings now, as text; empty: they can.
  virtual std::string routers_busy() const = 0;
  /// Why the settings cannot be used on this machine, as text; empty: they can.
  virtual std::string preflight(const Settings& fresh) const = 0;
  virtual std::vector<VersionView> views() const = 0;
  /// Replaces the routers by one with the settings of `fresh`, within `timeout`. `then` gets the result once, not
  /// before this returns, and returns the outcome of the reload; if that is a failure although the new router serves,
  /// the routers get the settings in force again. Returns the number of the replacement in the status.
  virtual unsigned renew_routers(const Settings& fresh, Duration timeout, std::function<Reply(const Reply&)> then) = 0;
  /// Applies `fresh`; the routers have its settings.
  virtual void apply(const Changes& changes, Settings fresh) = 0;
  virtual void reload_begins() = 0;
  virtual void reload_ends(bool good) = 0;
  virtual void emit(EventRecord event) = 0;
};

class Reloader {
 public:
  /// `settings`: the current ones, as read from `file`.
  Reloader(ReloadHost& host, const Settings& settings, const LiveState& live, ConfigFile file)
      : host_(host), settings_(settings), live_(live), file_(std::move(file)) {}

  using Done = std::function<void(const Reply&)>;
  struct Order {
    bool wait = true;          // false: answer when a new router was started, with the number of its replacement
    Duration timeout{60'000};  // for a new router
  };
  void reload(Order order, Done done);
  /// A reload that waits for a router is refused now.
  void abandon(const std::string& why);
  /// The start counts as a successful one.
  void started() { reloads_.last_good_at = wall_now(); }
  const Reloads& reloads() const { return reloads_; }
  /// Whether the file on disk differs from the settings in force.
  bool file_changed();
  /// How the file on disk differs from the settings in force; empty: it does not.
  std::string stale();
  ConfigFile& file() { return file_; }

  template <class Io>
  void archive(Io& io);

 private:
  struct Candidate {
    ConfigFile file;
    Settings fresh;
    std::string warnings;  // of `fresh`
    Changes changes;
    Done done;
  };
  Reply read_again(std::optional<Candidate>& candidate);
  Reply judge(Candidate& candidate) const;
  Reply renewed(const Reply& router);
  Reply apply(Candidate& candidate);
  Reply conclude(Reply reply, const Done& done);
  Reply accepted(const Candidate& candidate) const;

  ReloadHost& host_;
  const Settings& settings_;
  const LiveState& live_;
  ConfigFile file_;
  Reloads reloads_;
  std::optional<Candidate> pending_;  // waits for its router
};

}  // namespace gray::control

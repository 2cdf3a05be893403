#pragma once
// Reads the configuration again and applies it, completely or not at all: everything that can be refused is refused
// before anything is changed. Keeps the settings of the last read, and counts the reads. Main thread.
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
  /// Applies `fresh`.
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

  Reply reload();
  /// The start counts as a successful one.
  void started() { reloads_.last_good_at = wall_now(); }
  const Reloads& reloads() const { return reloads_; }
  /// Whether the file on disk differs from the settings in force.
  bool file_changed() { return file_.changed(settings_); }
  /// How the file on disk differs from the settings in force; empty: it does not.
  std::string stale();
  ConfigFile& file() { return file_; }

  template <class Io>
  void archive(Io& io);

 private:
  Reply read_again();

  ReloadHost& host_;
  const Settings& settings_;
  const LiveState& live_;
  ConfigFile file_;
  Reloads reloads_;
};

}  // namespace gray::control

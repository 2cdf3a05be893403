#pragma once
// The configuration read again, whole or not at all: everything that can be refused is refused before anything is
// touched. Keeps what the file said when it was read last, and how often that was. Main thread.
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

/// What a reload needs of the process that it happens in.
class ReloadHost {
 public:
  virtual ~ReloadHost() = default;
  /// Why nothing can be changed now, for people; empty: it can.
  virtual std::string not_now() const = 0;
  /// Why routers cannot get other settings now, for people; empty: they can.
  virtual std::string routers_busy() const = 0;
  /// What of the settings this machine refuses, for people; empty: nothing.
  virtual std::string preflight(const Settings& fresh) const = 0;
  virtual std::vector<VersionView> views() const = 0;
  /// Makes `fresh` the settings in force.
  virtual void apply(const Changes& changes, Settings fresh) = 0;
  virtual void reload_begins() = 0;
  virtual void reload_ends(bool good) = 0;
  virtual void emit(EventRecord event) = 0;
};

class Reloader {
 public:
  /// `settings`: those in force, as they were read from `file`.
  Reloader(ReloadHost& host, const Settings& settings, const LiveState& live, ConfigFile file)
      : host_(host), settings_(settings), live_(live), file_(std::move(file)) {}

  Reply reload();
  /// The start counts as a good one.
  void started() { reloads_.last_good_at = wall_now(); }
  const Reloads& reloads() const { return reloads_; }
  /// The file on disk says something else than what is in force.
  bool file_changed() { return file_.changed(settings_); }
  /// Why what lies on disk is not what is in force; empty: it is.
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

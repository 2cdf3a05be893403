#pragma once
// The configuration read again, whole or not at all: everything that can be refused is refused before anything is
// touched. Keeps what the file said when it was read last, and how often that was. Main thread.
#include <functional>
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/settings/settings_diff.hpp"
#include "config/shared/event_record.hpp"
#include "control/daemon.hpp"
#include "grayd/config_file.hpp"
#include "grayd/report_source.hpp"
#include "grayd/service_manager.hpp"

namespace gray::master {

class Reloader {
 public:
  /// What it needs of the master.
  struct Parts {
    const Settings& settings;  // in force
    ServiceManager& manager;
    std::function<std::string()> locked;    // why nothing can be changed now; empty: it can
    std::function<std::string()> renewing;  // why routers cannot get other settings now; empty: they can
    std::function<std::vector<LiveService>()> live;
    std::function<bool(const std::string& service, const std::string& version)> stopped;
    std::function<void(const Changes&, Settings fresh)> apply;
    std::function<void(EventRecord)> emit;
  };
  /// `file`: as the settings in force were read from it.
  Reloader(Parts parts, ConfigFile file) : parts_(std::move(parts)), file_(std::move(file)) {}

  control::Reply reload();
  /// The start counts as a good one.
  void started() { reloads_.last_good_at = wall_now(); }
  const Reloads& reloads() const { return reloads_; }
  /// The file on disk says something else than what is in force.
  bool file_changed() { return file_.changed(parts_.settings); }
  /// Why what lies on disk is not what is in force; empty: it is.
  std::string stale();
  ConfigFile& file() { return file_; }

  template <class Io>
  void archive(Io& io);

 private:
  control::Reply read_again();

  Parts parts_;
  ConfigFile file_;
  Reloads reloads_;
};

}  // namespace gray::master

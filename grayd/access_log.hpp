#pragma once
// The access log as a descriptor: the master opens it, the routers write whole lines to it.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "grayd/holdings.hpp"
#include "grayd/process/lifetime.hpp"
#include "grayd/routers/routers.hpp"

namespace gray::master {

/// Reports lost lines once, and again only after kQuiet without a loss. Pure.
class AccessLogWatch {
 public:
  static constexpr Duration kGlance{1'000};  // interval of look()
  static constexpr Duration kQuiet{60'000};

  /// `lost`: lines since the start. The event to report, or nothing.
  std::optional<EventRecord> look(std::uint64_t lost, const std::string& path, TimePoint now);

  template <class Io>
  void archive(Io& io) {
    io("seen", seen_);
    io("last_loss", last_loss_);
  }

 private:
  std::uint64_t seen_ = 0;
  std::optional<TimePoint> last_loss_;
};

/// The log of a master: reopened on a signal, and watched for lost lines. Main thread.
class AccessLog {
 public:
  struct Dependencies {
    asio::io_context& io;
    const Settings& settings;
    Holdings& holdings;
    Routers& routers;
    EventSink& events;
  };
  explicit AccessLog(Dependencies dependencies) : to_(dependencies), glance_(dependencies.io) {}

  /// The routers write to the fresh file from now on; if it cannot be opened, to the old one.
  void reopen();
  /// The same without an event. Throws std::runtime_error if it cannot be opened.
  void renew();
  void watch();

  template <class Io>
  void archive(Io& io) {
    io("watch", watch_);
  }

 private:
  Dependencies to_;
  AccessLogWatch watch_;
  asio::steady_timer glance_;
  Lifetime lifetime_;
};

/// Opens it to append, creates it and its folders if missing; an empty path gives none. Throws std::runtime_error with
/// a line for people.
UniqueFd open_access_log(const std::string& path);

}  // namespace gray::master

#pragma once
// The certificates in force, and the keys of session tickets. The files are read again every kLook: a renewed
// certificate is used without a reload, whatever way it was replaced (renamed, a link that was changed, written in
// place). Content that cannot be used changes nothing: the old pair stays in force, and an event says why, once for
// each content.
//
// Invariants
//  - Every router has the secrets before its first table, so before it accepts a connection.
//  - A secret is never written to a file: it is sent in sealed memory, also to the next image of grayd.
// Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "config/shared/tls_secrets.hpp"
#include "config/shared/tls_view.hpp"
#include "grayd/certificates/identity_files.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class Certificates {
 public:
  static constexpr Duration kLook{5'000};
  static constexpr Duration kRotate{12 * 3'600'000};  // the age at which a ticket key makes no more tickets

  /// Gives all routers new secrets.
  using Publish = std::function<void(const TlsSecrets&)>;
  Certificates(asio::io_context& io, const Settings& settings, EventSink& events, Publish publish)
      : settings_(settings), events_(events), publish_(std::move(publish)), timer_(io) {}

  /// Reads the files, publishes what they contain, and goes on watching.
  void watch();
  /// The settings may have changed: looks now if they have.
  void settings_changed();
  /// One for each [tls.NAME] in the settings, in their order.
  std::vector<TlsView> view() const;

  template <class Io>
  void archive(Io& io);

 private:
  /// One [tls.NAME].
  struct Held {
    TlsIdentity identity;  // in force; without a certificate: none ever was
    std::int64_t not_after = 0;
    WallTime loaded{};       // when it came in force
    std::string fault;       // of the newest content; empty: it is in force
    TlsIdentity seen;        // the newest content
    std::string unreadable;  // why a part of it could not be read
    template <class Io>
    void archive(Io& io);
  };

  void look();
  bool update(Held& held, const TlsSettings& settings);
  bool rotate();
  void publish();
  void report(EventKind kind, const Held& held, const std::string& text);

  const Settings& settings_;
  EventSink& events_;
  Publish publish_;
  std::vector<Held> held_;
  std::vector<TlsSettings> looked_for_;  // the settings of the last look
  std::vector<std::string> ticket_keys_;
  TimePoint rotated_{};
  bool unpublished_ = false;  // what is in force was not sent
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master

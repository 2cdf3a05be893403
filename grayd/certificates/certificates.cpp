#include "grayd/certificates/certificates.hpp"

#include <fmt/core.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"

namespace gray::master {
namespace {

std::string date_of(std::int64_t seconds) { return rfc3339(WallTime(std::chrono::seconds(seconds))); }

std::string random_key() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<unsigned char, TlsSecrets::kTicketKey> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the kernel gives no random bytes for the keys of session tickets");
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

void Certificates::watch() {
  if (settings_.https.empty()) return;
  look();
  timer_.expires_at(next_tick(Clock::now(), kLook));
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) watch();
  }));
}

void Certificates::settings_changed() {
  if (!settings_.https.empty() && settings_.tls != looked_for_) look();
}

void Certificates::look() {
  std::vector<Held> all;
  bool changed = rotate() || unpublished_;
  for (const TlsSettings& settings : settings_.tls) {
    const auto found = std::ranges::find_if(held_, [&](const Held& one) { return one.seen.name == settings.name; });
    all.push_back(found == held_.end() ? Held{} : std::move(*found));
    changed = update(all.back(), settings) || changed;
  }
  changed = changed || all.size() != held_.size() || settings_.tls != looked_for_;
  held_ = std::move(all);
  looked_for_ = settings_.tls;
  if (changed) publish();
}

/// Whether another identity is in force.
bool Certificates::update(Held& held, const TlsSettings& settings) {
  LoadedIdentity loaded = read_identity(settings);
  // A certificate may become valid without a change of its file.
  const bool judged_by_time = !held.fault.empty() && loaded.fault.empty();
  if (loaded.identity == held.seen && loaded.fault == held.unreadable && !judged_by_time) return false;
  held.seen = loaded.identity;
  held.unreadable = loaded.fault;
  const WallTime now = wall_now();
  check_identity(settings, loaded, unix_seconds(now));
  if (!loaded.fault.empty()) {
    if (held.fault == loaded.fault) return false;
    held.fault = loaded.fault;
    report(EventKind::certificate_failed, held,
           loaded.fault + (held.identity.certificate.empty() ? "; no certificate is in force for it"
                                                             : "; the former one stays in force"));
    return false;
  }
  const bool first = held.identity.certificate.empty();
  const bool same = held.identity == loaded.identity;
  held.fault.clear();
  held.not_after = loaded.not_after;
  if (same) return false;
  held.identity = std::move(loaded.identity);
  held.loaded = now;
  const auto text = fmt::format("{} {}, valid until {}", first ? "loaded" : "replaced by", settings.certificate,
                                date_of(held.not_after));
  report(EventKind::certificate_loaded, held, text);
  return true;
}

/// The next key is known to every router before it makes a ticket.
bool Certificates::rotate() {
  const TimePoint now = Clock::now();
  if (ticket_keys_.empty()) {
    ticket_keys_ = {random_key(), random_key(), random_key()};
  } else if (now - rotated_ >= kRotate) {
    ticket_keys_ = {ticket_keys_[2], ticket_keys_[0], random_key()};
  } else {
    return false;
  }
  rotated_ = now;
  return true;
}

void Certificates::publish() {
  TlsSecrets secrets;
  for (const Held& held : held_)
    if (!held.identity.certificate.empty()) secrets.identities.push_back(held.identity);
  secrets.ticket_keys = ticket_keys_;
  unpublished_ = true;
  if (secrets.identities.empty()) return;
  try {
    publish_(secrets);
    unpublished_ = false;
  } catch (const std::system_error& error) {  // no memory, or no descriptor
    log(LogLevel::error, fmt::format("routers cannot be sent their certificates: {}; grayd tries again", error.what()));
  }
}

void Certificates::report(EventKind kind, const Held& held, const std::string& text) {
  EventRecord event;
  event.kind = kind;
  event.pid = ::getpid();
  event.cause = "tls." + held.seen.name;
  event.text = "tls." + held.seen.name + ": " + text;
  log(kind == EventKind::certificate_failed ? LogLevel::error : LogLevel::info, event.text);
  events_.emit(std::move(event));
}

std::vector<TlsView> Certificates::view() const {
  std::vector<TlsView> views;
  for (const Held& held : held_)
    views.push_back({held.seen.name, held.identity.certificate.empty() ? held.seen.hosts : held.identity.hosts,
                     held.not_after, held.loaded, held.fault});
  return views;
}

template <class Io>
void Certificates::Held::archive(Io& io) {
  io("identity", identity);
  io("not_after", not_after);
  io("loaded", loaded);
  io("fault", fault);
  io("seen", seen);
  io("unreadable", unreadable);
}

template <class Io>
void Certificates::archive(Io& io) {
  io("held", held_);
  io("ticket_keys", ticket_keys_);
  io("rotated", rotated_);
  if constexpr (Io::kLoads) looked_for_ = settings_.tls;
}
template void Certificates::archive(Save&);
template void Certificates::archive(Load&);

}  // namespace gray::master

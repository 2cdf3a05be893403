#include "grayd/upgrades.hpp"

#include <fmt/core.h>

#include "config/log.hpp"
#include "grayd/serving.hpp"

namespace gray::master {
namespace {

using control::Reply;
using nlohmann::json;

Reply refusal(ExitCode code, std::string error) { return {code, {}, std::move(error)}; }

std::optional<Duration> patience_in(const json& args) {
  const auto found = args.find("patience_ms");
  if (found == args.end()) return Upgrades::kPatience;
  if (!found->is_number_integer() || *found < 1 || *found > Upgrades::kMostPatience.count()) return std::nullopt;
  return Duration(found->get<Duration::rep>());
}

}  // namespace

Upgrades::Upgrades(Parts parts) : parts_(std::move(parts)), retry_(parts_.io) {}

Reply Upgrades::begin(const json& args) {
  const auto of = args.find("of");
  const auto patience = patience_in(args);
  if (of == args.end() || *of != "router" || !patience) {
    return refusal(ExitCode::usage, fmt::format("upgrade needs of (\"router\"), and takes patience_ms (1 to {})",
                                                kMostPatience.count()));
  }
  if (const auto busy = under_way(); !busy.empty()) {
    return refusal(ExitCode::conflict, fmt::format("{}; wait for its end, see grayctl status", busy));
  }
  if (!parts_.routers.any_ready()) {
    return refusal(ExitCode::conflict, "no router serves now, and a new one starts by itself; see grayctl status");
  }
  const unsigned number = known_.empty() ? 1 : known_.back().number + 1;
  known_.push_back({number, "router", "running", {}, ExitCode::ok, 0});
  if (known_.size() > kKept) known_.pop_front();
  renew(*patience, [this](const RenewalEnd& end) { finish(end); });
  Reply reply;
  reply.body = {{"schema_version", 1}, {"upgrade", {{"number", number}, {"of", "router"}}}};
  return reply;
}

bool Upgrades::renew(Duration patience, std::function<void(const RenewalEnd&)> done) {
  return parts_.routers.renew(parts_.settings.router, longest_drain(parts_.settings), patience,
                              [this, done = std::move(done)](const RenewalEnd& end) {
                                if (done) done(end);
                                renewed(end);
                              });
}

void Upgrades::renew_settings() {
  settings_pending_ = true;
  renew(kMostPatience, nullptr);
}

/// Whoever started it, a new router has the newest settings.
void Upgrades::renewed(const RenewalEnd& end) {
  if (end.code == ExitCode::ok) settings_pending_ = false;
  if (!settings_pending_) return;
  log(LogLevel::error, fmt::format("no router has the settings of the reload yet: {}; trying again", end.text));
  retry_.expires_after(kRetry);
  retry_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error && settings_pending_) renew_settings();
  }));
}

void Upgrades::finish(const RenewalEnd& end) {
  const bool good = end.code == ExitCode::ok;
  auto& last = known_.back();
  last.state = good ? "done" : "failed";
  last.text = end.text;
  last.code = end.code;
  last.pid = end.pid;
  EventRecord event;
  event.kind = good ? EventKind::upgraded : EventKind::upgrade_failed;
  event.pid = end.pid;
  event.cause = "router";
  event.text = end.text;
  parts_.happened(std::move(event));
}

std::string Upgrades::under_way() const {
  const auto* renewal = parts_.routers.renewal();
  if (renewal == nullptr) return {};
  const bool asked = !known_.empty() && known_.back().state == "running";
  const auto what = asked ? fmt::format("upgrade {} of the router", known_.back().number)
                          : std::string("a new router for the settings of a reload");
  return fmt::format("{} is under way ({})", what, renewal->text());
}

std::vector<UpgradeView> Upgrades::views() const {
  std::vector<UpgradeView> views(known_.begin(), known_.end());
  const auto* renewal = parts_.routers.renewal();
  if (!views.empty() && views.back().state == "running" && renewal != nullptr) views.back().text = renewal->text();
  return views;
}

}  // namespace gray::master

#include "control/commands/reloader.hpp"

#include <fmt/core.h>

#include <utility>

#include "config/base/archive.hpp"
#include "control/commands/reload.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

Reply refused(ExitCode code, std::string why) { return {code, {}, std::move(why)}; }

}  // namespace

void Reloader::reload(Order order, Done done) {
  if (pending_) return done(refused(ExitCode::conflict, host_.routers_busy() + "; reload when it has ended"));
  host_.reload_begins();
  std::optional<Candidate> candidate;
  auto reply = read_again(candidate);
  if (reply.code != ExitCode::ok) return void(conclude(std::move(reply), done));
  if (!needs_new_router(candidate->changes)) return void(conclude(apply(*candidate), done));
  reply = accepted(*candidate);
  file_.differs(candidate->file);  // so that a status meanwhile does not parse it again
  pending_ = std::move(candidate);
  if (order.wait) pending_->done = done;
  const auto number =
      host_.renew_routers(pending_->fresh, order.timeout, [this](const Reply& router) { return renewed(router); });
  if (order.wait) return;
  reply.body["upgrade"] = {{"number", number}, {"of", "reload"}};
  done(reply);
}

void Reloader::abandon(const std::string& why) {
  if (pending_) renewed(refused(ExitCode::failed, why));
}

Reply Reloader::read_again(std::optional<Candidate>& candidate) {
  if (const auto why = host_.not_now(); !why.empty()) return refused(ExitCode::conflict, why);
  ConfigFile file(settings_.file);
  auto loaded = file.read();
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) return refused(ExitCode::bad_config, errors->text);
  auto& fresh = std::get<Settings>(loaded);
  if (const auto faults = host_.preflight(fresh); !faults.empty()) return refused(ExitCode::bad_config, faults);
  const auto warnings = fresh.warnings.text;
  candidate.emplace(Candidate{std::move(file), std::move(fresh), warnings, {}, {}});
  auto verdict = judge(*candidate);
  if (verdict.code != ExitCode::ok) return verdict;
  if (const auto why = host_.routers_busy(); !why.empty() && needs_new_router(candidate->changes)) {
    return refused(ExitCode::conflict, why + "; reload when it has ended");
  }
  return verdict;
}

/// Finds the changes, as of now: versions may have been deployed or removed while a router was started.
Reply Reloader::judge(Candidate& candidate) const {
  if (const auto twice = deployed_twice(candidate.fresh, live_.wanted()); !twice.empty()) {
    return refused(ExitCode::conflict,
                   fmt::format("the file has versions that are deployed already: {}; remove the deployed one first, "
                               "with grayctl remove, or give the one in the file a different name",
                               twice));
  }
  candidate.fresh = with_deployed(std::move(candidate.fresh), live_.wanted());
  if (auto problem = missing_stable(candidate.fresh, live_.wanted()); !problem.empty())
    return refused(ExitCode::bad_config, std::move(problem));
  auto verdict = diff(settings_, candidate.fresh, live_services(settings_, live_.wanted(), host_.views()));
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) return refused(refusal->code, refusal->message);
  candidate.changes = std::get<Changes>(std::move(verdict));
  return {};
}

/// The new router serves, or cannot.
Reply Reloader::renewed(const Reply& router) {
  if (!pending_) return router;
  auto candidate = *std::exchange(pending_, std::nullopt);
  auto reply = router.code == ExitCode::ok ? judge(candidate) : router;
  if (reply.code == ExitCode::ok) return conclude(apply(candidate), candidate.done);
  reply.error += "; the old configuration stays in force";
  return conclude(std::move(reply), candidate.done);
}

Reply Reloader::accepted(const Candidate& candidate) const {
  Reply reply{ExitCode::ok,
              {{"schema_version", 1}, {"changes", nlohmann::json::array()}, {"warnings", candidate.warnings}},
              {}};
  for (const auto& change : candidate.changes) {
    reply.body["changes"].push_back(text_of(change, is_stopped(live_.published(), change.service, change.version)));
  }
  return reply;
}

Reply Reloader::apply(Candidate& candidate) {
  file_ = std::move(candidate.file);
  host_.apply(candidate.changes, std::move(candidate.fresh));
  return accepted(candidate);
}

Reply Reloader::conclude(Reply reply, const Done& done) {
  reloads_.last_good = reply.code == ExitCode::ok;
  host_.reload_ends(reloads_.last_good);
  ++(reloads_.last_good ? reloads_.accepted : reloads_.refused);
  if (reloads_.last_good) reloads_.last_good_at = wall_now();
  host_.emit(reload_event(reply, settings_.file));
  if (done) done(reply);
  return reply;
}

bool Reloader::file_changed() {
  return file_.changed(settings_,
                       [this](Settings& fresh) { fresh = with_deployed(std::move(fresh), live_.published()); });
}

std::string Reloader::stale() {
  if (!file_changed()) return {};
  return settings_.file + " differs from the configuration in force; first: grayctl reload";
}

template <class Io>
void Reloader::archive(Io& io) {
  io("reloads", reloads_);
}
template void Reloader::archive(Save&);
template void Reloader::archive(Load&);

}  // namespace gray::control

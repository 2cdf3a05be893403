#include "control/commands/reloader.hpp"

#include "config/base/archive.hpp"
#include "control/commands/reload.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

Reply refused(ExitCode code, std::string why) { return {code, {}, std::move(why)}; }

}  // namespace

Reply Reloader::reload() {
  host_.reload_begins();
  auto reply = read_again();
  reloads_.last_good = reply.code == ExitCode::ok;
  host_.reload_ends(reloads_.last_good);
  ++(reloads_.last_good ? reloads_.accepted : reloads_.refused);
  if (reloads_.last_good) reloads_.last_good_at = wall_now();
  host_.emit(reload_event(reply, settings_.file));
  return reply;
}

Reply Reloader::read_again() {
  if (const auto why = host_.not_now(); !why.empty()) return refused(ExitCode::conflict, why);
  ConfigFile file(settings_.file);
  auto loaded = file.read();
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) return refused(ExitCode::bad_config, errors->text);
  auto& fresh = std::get<Settings>(loaded);
  if (const auto faults = host_.preflight(fresh); !faults.empty()) return refused(ExitCode::bad_config, faults);
  const auto verdict = diff(settings_, fresh, live_services(settings_, live_.wanted(), host_.views()));
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) return refused(refusal->code, refusal->message);
  const auto& changes = std::get<Changes>(verdict);
  if (const auto why = host_.routers_busy(); !why.empty() && needs_new_router(changes)) {
    return refused(ExitCode::conflict, why + "; reload when it has ended");
  }
  file_ = std::move(file);
  host_.apply(changes, std::move(fresh));
  Reply reply{ExitCode::ok, {{"schema_version", 1}, {"changes", nlohmann::json::array()}}, {}};
  for (const auto& change : changes) {
    reply.body["changes"].push_back(text_of(change, is_stopped(live_.published(), change.service, change.version)));
  }
  return reply;
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

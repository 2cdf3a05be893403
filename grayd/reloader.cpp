#include "grayd/reloader.hpp"

#include "config/base/archive.hpp"
#include "grayd/preflight.hpp"
#include "grayd/reload.hpp"

namespace gray::master {
namespace {

control::Reply refused(ExitCode code, std::string why) { return {code, {}, std::move(why)}; }

}  // namespace

control::Reply Reloader::reload() {
  parts_.manager.reloading();
  auto reply = read_again();
  parts_.manager.reloaded(reply.code == ExitCode::ok);
  reloads_.last_good = reply.code == ExitCode::ok;
  ++(reloads_.last_good ? reloads_.accepted : reloads_.refused);
  if (reloads_.last_good) reloads_.last_good_at = wall_now();
  parts_.emit(reload_event(reply, parts_.settings.file));
  return reply;
}

control::Reply Reloader::read_again() {
  if (const auto why = parts_.locked(); !why.empty()) return refused(ExitCode::conflict, why);
  ConfigFile file(parts_.settings.file);
  auto loaded = file.read();
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) return refused(ExitCode::bad_config, errors->text);
  auto& fresh = std::get<Settings>(loaded);
  if (const auto faults = preflight_here(fresh); !faults.empty()) {
    return refused(ExitCode::bad_config, rendered(faults, fresh.file));
  }
  const auto verdict = diff(parts_.settings, fresh, parts_.live());
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) return refused(refusal->code, refusal->message);
  const auto& changes = std::get<Changes>(verdict);
  if (const auto why = parts_.renewing(); !why.empty() && needs_new_router(changes)) {
    return refused(ExitCode::conflict, why + "; reload when it has ended");
  }
  file_ = std::move(file);
  parts_.apply(changes, std::move(fresh));
  control::Reply reply{ExitCode::ok, {{"schema_version", 1}, {"changes", nlohmann::json::array()}}, {}};
  for (const auto& change : changes) {
    reply.body["changes"].push_back(text_of(change, parts_.stopped(change.service, change.version)));
  }
  return reply;
}

std::string Reloader::stale() {
  if (!file_changed()) return {};
  return parts_.settings.file + " differs from the configuration in force; first: grayctl reload";
}

template <class Io>
void Reloader::archive(Io& io) {
  io("reloads", reloads_);
}
template void Reloader::archive(Save&);
template void Reloader::archive(Load&);

}  // namespace gray::master

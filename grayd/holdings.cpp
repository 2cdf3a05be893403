#include "grayd/holdings.hpp"

#include <unistd.h>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "control/api/admin_socket.hpp"
#include "control/release/upkeep.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/weights.hpp"
#include "grayd/access_log.hpp"
#include "grayd/instance.hpp"

namespace gray::master {
namespace {

/// One address or none.
std::vector<Address> tcp_address(const std::string& text) {
  const auto address = Address::parse(text);
  return address ? std::vector{*address} : std::vector<Address>{};
}

}  // namespace

Holdings::Holdings(const Settings& settings, ActivatedSockets given)
    : store(settings.state_dir),
      instance(swept_instance(settings.state_dir)),
      segment(segment::Segment::create()),
      listeners(settings.listen, "http", &given),
      secured(settings.https, "https", &given),
      proxied(settings.proxy_protocol, "proxy_protocol", &given),
      metrics(tcp_address(settings.metrics), "metrics", &given),
      dashboard(tcp_address(settings.dashboard), "dashboard", &given),
      access_log(open_access_log(settings.access_log)),
      admin_path(settings.admin),
      admin(control::open_admin_socket(admin_path)) {
  given.warn_of_left();
  metrics.listen();
  dashboard.listen();
}

Holdings::~Holdings() {
  if (admin) ::unlink(admin_path.c_str());
}

template <class Io>
void Holdings::archive(Io& io) {
  io("store", store);
  io("saver", saver);
  io("segment", segment);
  io("listeners", listeners);
  io("secured", secured);
  io("proxied", proxied);
  io("metrics", metrics);
  io("dashboard", dashboard);
  io("access_log", access_log);
  io("admin", admin);
}
template void Holdings::archive(Save&);
template void Holdings::archive(Load&);

control::State Holdings::state(Settings& settings) {
  if (instance.empty()) return {};
  std::string warning;
  const auto last = store.load(warning);
  const auto& loaded = last.state;
  saver.begin(last.revision);
  if (!warning.empty()) log(LogLevel::warn, warning);
  const auto saved = control::without_removed(loaded);
  if (const auto twice = control::deployed_twice(settings, saved); !twice.empty())
    log(LogLevel::warn, "the file has versions that were deployed, and those of the file are used: " + twice);
  settings = control::with_deployed(std::move(settings), saved);
  auto state = control::cooled(control::state_at_start(saved, settings), settings, wall_now());
  if (const auto what = control::dropped(saved, state); !what.empty())
    log(LogLevel::info, "the configuration has changed; dropped from the state: " + what);
  if (auto roles = control::with_roles(state, settings); roles != loaded)
    saver.save(std::move(roles), {"grayd", "start"}, [](const control::SaveEnd& end) {
      if (end.code != ExitCode::ok) log(LogLevel::error, end.error);
    });
  return state;
}

void Holdings::listen() {
  listeners.listen();
  secured.listen();
  proxied.listen();
}

void Holdings::restore_admin() { replace_socket(admin, control::open_admin_socket(admin_path)); }

std::string Holdings::text() const {
  return listeners.text() + (secured.fds().empty() ? "" : "; with TLS " + secured.text()) +
         (proxied.fds().empty() ? "" : "; with PROXY headers " + proxied.text());
}

RouterCommand Holdings::router_command() const {
  RouterCommand command{.segment = segment.fd(),
                        .freed = segment.freed(),
                        .access_log = access_log.get(),
                        .listeners = listeners.fds(),
                        .proxied = proxied.fds().size(),
                        .secured = secured.fds().size()};
  for (const int fd : secured.fds()) command.listeners.push_back(fd);
  for (const int fd : proxied.fds()) command.listeners.push_back(fd);
  return command;
}

}  // namespace gray::master

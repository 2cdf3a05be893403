#pragma once
// A daemon with settable answers, and a client for it.
#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "control/grayctl/client.hpp"
#include "tests/control/fixture.hpp"

namespace gray::control {

struct Served {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  AdminServer server{listener.get(), daemon};
  Client client{path};
};

}  // namespace gray::control

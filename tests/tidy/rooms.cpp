#include "tests/tidy/rooms.hpp"

namespace gray::tidy {

/// config/settings may include the segment, because that limits how many threads the settings may request.
const std::vector<Room> kRooms = {
    {"config/base", {}},
    {"config/settings", {"config/base", "config/shared/segment.hpp"}},
    {"config/shared", {"config/base", "config/settings"}},
    {"supervisor/kernel", {"config/base", "config/settings", "config/shared"}},
    {"supervisor/process", {"supervisor/kernel", "config/base", "config/settings", "config/shared"}},
    {"supervisor", {"supervisor/process", "supervisor/kernel", "config/base", "config/settings", "config/shared"}},
    {"router/http", {"config/base", "config/settings", "config/shared"}},
    {"router/wire", {"router/http", "config/base", "config/settings", "config/shared"}},
    {"router/targeting", {"router/http", "config/base", "config/settings", "config/shared"}},
    {"router/policy", {"router/targeting", "router/http", "config/base", "config/settings", "config/shared"}},
    {"router/stats", {"config/base", "config/settings", "config/shared"}},
    {"router/upstream",
     {"router/policy", "router/http", "router/stats", "config/base", "config/settings", "config/shared"}},
    {"router/engine", {"router/policy", "config/base", "config/settings", "config/shared"}},
    {"router/backends",
     {"router/engine", "router/upstream", "router/policy", "router/wire", "router/http", "router/stats", "config/base",
      "config/settings", "config/shared"}},
    {"router/proxy",
     {"router/backends", "router/engine", "router/upstream", "router/targeting", "router/policy", "router/wire",
      "router/http", "router/stats", "config/base", "config/settings", "config/shared"}},
    {"router/downstream",
     {"router/proxy", "router/backends", "router/engine", "router/upstream", "router/policy", "router/wire",
      "router/http", "router/stats", "config/base", "config/settings", "config/shared"}},
    {"router/process",
     {"router/downstream", "router/proxy", "router/backends", "router/engine", "router/upstream", "router/targeting",
      "router/policy", "router/wire", "router/http", "router/stats", "config/base", "config/settings",
      "config/shared"}},
    {"control", {"config/base"}},
    {"control/verbs", {"config/base", "config/settings", "config/shared"}},
    {"control/judge", {"config/base", "config/settings", "config/shared"}},
    {"control/rollout", {"control/judge", "config/base", "config/settings", "config/shared"}},
    {"control/history",
     {"control/judge", "control/state/quiet_thread.hpp", "config/base", "config/settings", "config/shared"}},
    {"control/state",
     {"control", "control/judge", "control/rollout", "config/base", "config/settings", "config/shared"}},
    // Decisions: no Asio, no sockets, no process.
    {"control/traffic",
     {"control/state", "control/history", "control/rollout", "control/judge", "config/base", "config/settings",
      "config/shared"}},
    {"control/release", {"control/traffic", "control/state", "config/base", "config/settings", "config/shared"}},
    {"control/report",
     {"control/release", "control/traffic", "control/rollout", "control/judge", "control/state", "control",
      "config/base", "config/settings", "config/shared"}},
    // Decisions of requests are explained by the code that makes them: the parser and the policy are pure.
    {"control/explain",
     {"router/policy", "router/targeting", "router/wire", "router/http", "config/base", "config/settings",
      "config/shared"}},
    {"control/commands",
     {"control/explain", "control/report", "control/release", "control/traffic", "control/rollout", "control/judge",
      "control/verbs", "control/history", "control/state", "control", "config/base", "config/settings",
      "config/shared"}},
    {"control/api", {"control/verbs", "control/state", "control", "config/base", "config/settings", "config/shared"}},
    {"control/grayctl",
     {"control/grayctl/why", "control/grayctl/history", "control/grayctl/memory", "control/grayctl/top",
      "control/grayctl/demo", "control/verbs", "control", "config/base", "config/settings", "config/shared"}},
    {"control/grayctl/why",
     {"control/grayctl/client.hpp", "control/grayctl/command.hpp", "control/grayctl/outcome.hpp",
      "control/grayctl/table.hpp", "control/grayctl/terminal.hpp", "control/explain", "control/verbs", "control",
      "router/policy", "config/base", "config/settings", "config/shared"}},
    {"control/grayctl/history",
     {"control/grayctl/client.hpp", "control/grayctl/command.hpp", "control/grayctl/outcome.hpp",
      "control/grayctl/rollouts.hpp", "control/grayctl/table.hpp", "control/grayctl/terminal.hpp", "control/history",
      "config/base"}},
    {"control/grayctl/memory",
     {"control/grayctl/client.hpp", "control/grayctl/command.hpp", "control/grayctl/figures.hpp",
      "control/grayctl/outcome.hpp", "control/grayctl/table.hpp", "control/grayctl/terminal.hpp", "control/verbs",
      "config/base"}},
    {"control/grayctl/top",
     {"control/grayctl/client.hpp", "control/grayctl/command.hpp", "control/grayctl/figures.hpp",
      "control/grayctl/history_view.hpp", "control/grayctl/outcome.hpp", "control/grayctl/status_view.hpp",
      "control/grayctl/table.hpp", "control/grayctl/terminal.hpp", "control/verbs", "config/base"}},
    {"control/grayctl/demo",
     {"control/grayctl/client.hpp", "control/grayctl/command.hpp", "control/grayctl/outcome.hpp", "control/verbs",
      "config/base"}},
    {"grayd/process", {"control", "config/base"}},
    {"grayd/guard", {"grayd/process", "config/base"}},
    {"grayd/handoff", {"grayd/process", "config/base", "config/settings", "config/shared"}},
    {"grayd/init", {"grayd/process", "supervisor/kernel", "config/base", "config/settings", "config/shared"}},
    {"grayd/demo", {"grayd/process", "config/base"}},
    {"grayd/routers",
     {"grayd/handoff", "grayd/process", "supervisor/process", "supervisor/kernel", "router/process", "control/traffic",
      "config/base", "config/settings", "config/shared"}},
    {"grayd/releases",
     {"grayd/process", "supervisor", "supervisor/process", "supervisor/kernel", "control", "control/state",
      "control/traffic", "control/judge", "control/rollout", "control/release", "control/report", "control/commands",
      "control/verbs", "config/base", "config/settings", "config/shared"}},
    {"grayd", {"grayd/guard",      "grayd/handoff", "grayd/routers",   "grayd/releases",     "grayd/init",
               "grayd/demo",       "grayd/process", "supervisor",      "supervisor/process", "supervisor/kernel",
               "router/process",   "control",       "control/verbs",   "control/history",    "control/state",
               "control/traffic",  "control/judge", "control/rollout", "control/release",    "control/report",
               "control/commands", "control/api",   "config/base",     "config/settings",    "config/shared"}},
    {"workers", {}},
};

const std::vector<Room> kTestRooms = {
    {"tests/bench", {"config/base", "tests/control/judge"}},
    {"tests/bench/machine", {}},
    {"tests/fuzz", {"router/http", "router/wire"}},
    {"tests/tidy", {}},
    {"tests/supervisor/kernel", {"supervisor/process", "tests/supervisor/process"}},  // processes to look at
    {"tests/support", {"config/base", "grayd", "grayd/handoff", "grayd/process"}},
    {"tests/control/api", {"control/grayctl"}},    // a client for the server
    {"tests/control/verbs", {"control/grayctl"}},  // every verb of the table is a command
    {"tests/control/grayctl/history", {"control/api", "tests/control"}},
    {"tests/control/grayctl/memory", {"control/api", "tests/control"}},
    {"tests/control/grayctl/top", {"control/api", "tests/control"}},
    {"tests/control/grayctl/demo", {"control/api", "tests/control"}},
    {"tests/control/grayctl", {"control/api"}},                  // a server for the client
    {"tests/control/grayctl/why", {"control/api"}},              // likewise
    {"tests/grayd/demo", {"config/settings", "config/shared"}},  // the text is a valid configuration
    {"tests/grayd", {"tests/grayd/routers"}},                    // a router that does what the test says
    {"tests/grayd/routers", {"tests/grayd/guard"}},              // a child whose end is awaited
    {"tests/router/downstream", {"router/process", "tests/router/process"}},
    {"tests/router/proxy", {"router/process", "tests/router/process"}},     // the thread around a connection
    {"tests/router/backends", {"router/process", "tests/router/process"}},  // likewise
};

}  // namespace gray::tidy

#pragma once
// A request that somebody describes, decided on the table in force: parsed, routed and decided by the code of the data
// path, so it is what the request would get now. Whether a version can serve is seen in the table, which has the
// workers that may take requests. Pure.
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "config/settings/settings.hpp"
#include "config/shared/routing_table.hpp"
#include "control/explain/explanation.hpp"

namespace gray::control {

struct AskedRequest {
  std::string method = "GET";
  std::string host = "localhost";
  std::string path = "/";            // with its query
  std::string headers;               // lines "Name: value"
  std::string client = "127.0.0.1";  // the peer: an IP, or "unix"
  std::string service;               // empty: host and path pick it
  /// From the arguments of the verb, which are texts; absent ones have the defaults.
  static AskedRequest of(const nlohmann::json& args);
};

/// An error: one line that says what is wrong with the request.
/// `settings`: those of the table; they have the trusted proxies and the users of the allowlists.
std::variant<Explanation, std::string> explain_request(const RoutingTable& table, const Settings& settings,
                                                       const AskedRequest& asked);

}  // namespace gray::control

#include "control/commands/explain_verbs.hpp"

#include "control/explain/asked_request.hpp"
#include "control/traffic/weights.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

using nlohmann::json;

Reply why(const Settings& settings, const RoutingTable& table, const json& args) {
  if (auto error = arguments_error(Verb::why, args); !error.empty()) return refusal(ExitCode::usage, std::move(error));
  if (!args.contains("path")) return {ExitCode::ok, {{"schema_version", 1}, {"access_log", settings.access_log}}, {}};
  const AskedRequest asked = AskedRequest::of(args);
  if (!asked.service.empty())
    if (auto error = unknown_service(settings, asked.service); !error.empty())
      return refusal(ExitCode::usage, std::move(error));
  auto explained = explain_request(table, settings, asked);
  if (auto* error = std::get_if<std::string>(&explained)) return refusal(ExitCode::usage, std::move(*error));
  json body = json_of(std::get<Explanation>(explained));
  body["request"] = {{"method", asked.method}, {"host", asked.host}, {"path", asked.path}, {"client", asked.client}};
  return {ExitCode::ok, std::move(body), {}};
}

Reply bucket(const Settings& settings, const State& state, std::uint64_t table, const json& args) {
  if (auto error = arguments_error(Verb::bucket, args); !error.empty())
    return refusal(ExitCode::usage, std::move(error));
  const std::string name = args.at("service");
  if (auto error = unknown_service(settings, name); !error.empty()) return refusal(ExitCode::usage, std::move(error));
  const ServiceSettings& service = *settings.service(name);
  if (const auto version = args.value("version", std::string()); !version.empty())
    if (auto error = unknown_version(service, version); !error.empty())
      return refusal(ExitCode::usage, std::move(error));
  const Shares shares = shares_of(service, state);
  json versions = json::array();
  for (const auto& version : service.versions)
    versions.push_back(
        {{"name", version.name}, {"weight", shares.of(version.name)}, {"salt", salt_of(service, state, version.name)}});
  return {ExitCode::ok,
          {{"schema_version", 1},
           {"service", name},
           {"stable", shares.stable},
           {"canary", shares.canary.empty() ? json() : json(shares.canary)},
           {"weight", shares.weight},
           {"table", table},
           {"rules", service.rules.size()},
           {"allowlist", service.allowlist.count},
           {"versions", std::move(versions)}},
          {}};
}

}  // namespace gray::control

#include "control/state/state_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace gray::control {
namespace {

using nlohmann::json;

constexpr int kSchemaVersion = 1;

/// The member `name` of `object` as text; empty if it is absent.
std::string text_of(const json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_string()) throw std::runtime_error(fmt::format("\"{}\" is no text", name));
  return found->get<std::string>();
}

std::map<std::string, double> weights_of(const json& object) {
  std::map<std::string, double> weights;
  auto found = object.find("weights");
  if (found == object.end()) return weights;
  if (!found->is_object()) throw std::runtime_error("\"weights\" is no object");
  for (const auto& [version, weight] : found->items()) {
    bool in_range = weight.is_number() && weight.get<double>() >= 0 && weight.get<double>() <= 100;
    if (!in_range) throw std::runtime_error(fmt::format("the weight of \"{}\" is no number from 0 to 100", version));
    weights[version] = weight.get<double>();
  }
  return weights;
}

std::set<std::string> stopped_of(const json& object) {
  std::set<std::string> stopped;
  auto found = object.find("stopped");
  if (found == object.end()) return stopped;
  if (!found->is_array()) throw std::runtime_error("\"stopped\" is no array");
  for (const json& version : *found) {
    if (!version.is_string()) throw std::runtime_error("a name in \"stopped\" is no text");
    stopped.insert(version.get<std::string>());
  }
  return stopped;
}

ServiceState service_of(const json& object) {
  if (!object.is_object()) throw std::runtime_error("a service is no object");
  return {.stable = text_of(object, "stable"),
          .weights = weights_of(object),
          .salt = text_of(object, "salt"),
          .stopped = stopped_of(object)};
}

}  // namespace

std::string to_json_text(const State& state) {
  json services = json::object();
  for (const auto& [name, service] : state)
    services[name] = {
        {"stable", service.stable}, {"weights", service.weights}, {"salt", service.salt}, {"stopped", service.stopped}};
  json root = {{"schema_version", kSchemaVersion}, {"services", std::move(services)}};
  return root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

State state_from_json(std::string_view text) {
  json root = json::parse(text, nullptr, false);
  if (!root.is_object()) throw std::runtime_error("it is no JSON object");
  auto schema = root.find("schema_version");
  if (schema == root.end() || !schema->is_number_integer()) throw std::runtime_error("it has no \"schema_version\"");
  if (*schema != kSchemaVersion)
    throw NewerState(fmt::format("it has schema_version {}, and this grayd knows {}", schema->dump(), kSchemaVersion));
  auto services = root.find("services");
  if (services == root.end() || !services->is_object()) throw std::runtime_error("it has no \"services\"");
  State state;
  for (const auto& [name, service] : services->items()) state[name] = service_of(service);
  return state;
}

}  // namespace gray::control

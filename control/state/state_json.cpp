#include "control/state/state_json.hpp"

#include <fmt/format.h>

#include "config/base/archive.hpp"

namespace gray::control {
namespace {

constexpr int kSchemaVersion = 1;

struct StateFile {
  int schema_version = kSchemaVersion;
  Snapshot now;

  template <class Io>
  void archive(Io& io) {
    io("schema_version", schema_version);
    io("revision", now.revision);
    io("who", now.by.who);
    io("what", now.by.what);
    io("services", now.state);
  }
};

}  // namespace

std::string to_json_text(const Snapshot& snapshot) {
  Save save;
  StateFile file{kSchemaVersion, snapshot};
  file.archive(save);
  return save.take().dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Snapshot snapshot_from_json(std::string_view text) {
  const auto root = nlohmann::json::parse(text, nullptr, false);
  if (!root.is_object()) throw std::runtime_error("it is not a JSON object");
  const auto schema = root.find("schema_version");
  if (schema == root.end() || !schema->is_number_integer()) throw std::runtime_error("it has no \"schema_version\"");
  if (*schema != kSchemaVersion)
    throw NewerState(
        fmt::format("it has schema_version {}, but this grayd supports {}", schema->dump(), kSchemaVersion));
  if (!root.contains("services")) throw std::runtime_error("it has no \"services\"");
  StateFile file;
  auto load = Load::lenient(root);
  file.archive(load);
  return file.now;
}

}  // namespace gray::control

#include "config/shared/routing_table.hpp"

#include "config/base/archive.hpp"

namespace gray {

std::string to_json_text(const RoutingTable& table) { return archived_text(table); }

std::optional<RoutingTable> routing_table_from_json(std::string_view text, std::string& error) {
  try {
    return unarchived<RoutingTable>(text);
  } catch (const std::exception& problem) {
    error = std::string("not a routing table: ") + problem.what();
    return std::nullopt;
  }
}

}  // namespace gray

#pragma once
// Entries of the history, a folder for its file, and plain access to the file.
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "control/history/audit_table.hpp"
#include "tests/support/temp_folder.hpp"

namespace gray::test {

inline control::AuditEntry audit_entry(const std::string& what, const std::string& version = "v2") {
  control::AuditEntry entry{.service = "web", .version = version, .what = what, .actor = "pid 4711, uid 0"};
  entry.time = WallTime(std::chrono::milliseconds(1'764'550'000'123));
  return entry;
}

inline std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_content(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Every entry in the file of the folder.
inline nlohmann::json entries_in(const std::string& path) {
  control::Database database(path, control::Database::Access::read);
  control::AuditQuery query;
  query.count = control::AuditQuery::kMost;
  return find_records(database, query);
}

inline std::vector<std::string> whats_in(const std::string& path) {
  std::vector<std::string> whats;
  for (const auto& entry : entries_in(path)) whats.push_back(entry.at("what"));
  return whats;
}

/// Until `check` is true, at most 20 s.
template <typename Check>
bool eventually(Check check) {
  const auto until = Clock::now() + Duration{20'000};
  while (!check() && Clock::now() < until) std::this_thread::yield();
  return check();
}

}  // namespace gray::test

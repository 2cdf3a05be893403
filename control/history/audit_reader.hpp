#pragma once
// Answers questions about the history from a thread of its own with a connection of its own: a slow disk delays nobody
// but the caller who asked.
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "config/base/time.hpp"
#include "control/history/audit_table.hpp"

namespace gray::control {

struct AuditAnswer {
  nlohmann::json entries = nlohmann::json::array();  // see find_records()
  std::string error;                                 // not empty: why there is no answer
};

/// Reads the file at `path`; without a file the answer is empty. `limit`: then a query is given up. Blocks.
AuditAnswer read_history(const std::string& path, const AuditQuery& query, Duration limit);

class AuditReader {
 public:
  static constexpr std::size_t kWaiting = 16;  // questions
  static constexpr Duration kLimit{5'000};     // of one query
  using Done = std::function<void(AuditAnswer)>;

  explicit AuditReader(const std::string& state_dir);
  ~AuditReader();  // questions that wait are not answered
  AuditReader(const AuditReader&) = delete;
  AuditReader& operator=(const AuditReader&) = delete;

  /// `done` runs on the thread of the reader. False, and it is never called: too many questions wait.
  bool ask(AuditQuery query, Done done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control

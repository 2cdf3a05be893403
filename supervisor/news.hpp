#pragma once
// Reports versions and workers to operators, as events and in the log: each change once.
#include "supervisor/version.hpp"

namespace gray::supervisor {

class News {
 public:
  explicit News(Host& host) : host_(host) {}

  /// Reports the states that the workers went through since the last call.
  void of_workers(Version& version, TimePoint now);
  /// Reports that a worker ended or could not be started, unless it was supposed to end.
  void of_failure(Version& version, unsigned worker_slot);
  /// Reports that a worker is replaced because it uses so many bytes.
  void of_memory(const Version& version, const Worker& worker, std::uint64_t bytes);
  /// Reports changes of the version as a whole since the last call.
  void of_version(Version& version);

 private:
  void report(const Version& version, EventKind kind, std::string cause, std::string text);
  void crashing(const Version& version);
  void rolled_back(Version& version);

  Host& host_;
};

}  // namespace gray::supervisor

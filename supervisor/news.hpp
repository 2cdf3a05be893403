#pragma once
// What an operator is told of versions and workers, as events and in the log: each thing once.
#include "supervisor/version.hpp"

namespace gray::supervisor {

class News {
 public:
  explicit News(Host& host) : host_(host) {}

  /// The states that the workers went through since the last call.
  void of_workers(Version& version, TimePoint now);
  /// A worker has ended, or could not be made; nobody wonders about one that was to end.
  void of_failure(Version& version, unsigned slot);
  /// A worker is replaced because it holds so many bytes.
  void of_memory(const Version& version, const Worker& worker, std::uint64_t bytes);
  /// What became of the version as a whole since the last call.
  void of_version(Version& version);

 private:
  void tell(const Version& version, EventKind kind, std::string cause, std::string text);
  void crashing(const Version& version);
  void rolled_back(Version& version);

  Host& host_;
};

}  // namespace gray::supervisor

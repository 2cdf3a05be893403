#pragma once
// `grayctl why --replay FILE`: decides every line of an access log again, from its own facts. No grayd is asked.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/explain/logged_decision.hpp"
#include "control/grayctl/outcome.hpp"

namespace gray::control {

/// The hashes of all users of a list under each salt that a log has: whether salt and identity give the logged hash.
class KnownUsers {
 public:
  static constexpr std::size_t kMostSalts = 16;  // more are not checked

  void add(std::string_view id) { ids_.emplace_back(id); }
  std::size_t size() const { return ids_.size(); }
  /// Whether the hash is that of one of the users.
  bool has(const std::string& salt, std::uint64_t hash);
  /// Whether hashes of this salt can be checked.
  bool takes(const std::string& salt) const { return hashes_.contains(salt) || hashes_.size() < kMostSalts; }

 private:
  std::vector<std::string> ids_;
  std::map<std::string, std::vector<std::uint64_t>, std::less<>> hashes_;  // sorted, by salt
};

class LogReplay {
 public:
  static constexpr std::size_t kMostShown = 10;  // mismatches with their line

  /// `users` may be null; outlives this.
  explicit LogReplay(KnownUsers* users) : users_(users) {}
  void add(std::string_view line, std::uint64_t number);
  std::uint64_t decided() const;  // again, whatever came out
  std::uint64_t mismatches() const { return of(Replay::differs); }
  nlohmann::json report() const;

 private:
  struct Mismatch {
    std::uint64_t line = 0;
    std::string request_id, text;
  };
  std::uint64_t of(Replay replay) const { return counts_[static_cast<std::size_t>(replay)]; }
  void check_user();

  KnownUsers* users_;
  LoggedDecision line_;  // reused
  std::string difference_;
  std::uint64_t lines_ = 0, known_ = 0, unknown_ = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Replay::count)> counts_{};
  std::map<std::string, std::uint64_t> decisions_;
  std::vector<Mismatch> first_;
};

/// Exit 1 if a line differs, or none could be decided again.
Outcome run_replay(const std::string& file, const std::string& ids);

}  // namespace gray::control

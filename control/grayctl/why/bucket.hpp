#pragma once
// `grayctl bucket`: who of a list of users would get which version, now and at a planned weight. grayd gives salts and
// weights; the buckets are computed here, line by line, by the functions of the data path.
#include <cstdint>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"

namespace gray::control {

/// One version beside stable, and the users that a weight gives it.
struct UserShare {
  std::string version, salt;
  double weight = 0;  // percent
  Threshold threshold;
  static UserShare of(std::string version, std::string salt, double weight);
};

class BucketCount {
 public:
  static constexpr std::size_t kMostExamples = 10;

  /// `now`: nothing, if no version has users beside stable. `asked`: the version that is asked about; with `plans`, at
  /// its planned weight.
  BucketCount(std::string stable, std::optional<UserShare> now, UserShare asked, bool plans);

  struct User {
    double bucket = 0;              // percent, under the salt that is asked about
    std::string_view now, planned;  // versions; planned empty: not asked
    bool moves() const { return !planned.empty() && now != planned; }
  };
  /// The views are valid as long as this is.
  User add(std::string_view id);
  std::uint64_t users() const { return users_; }
  /// "users", "now", "planned", "joins", "leaves" and examples of both.
  nlohmann::json summary() const;

 private:
  std::string stable_;
  std::optional<UserShare> now_;
  UserShare asked_;
  bool plans_;
  std::uint64_t users_ = 0, now_taken_ = 0, planned_taken_ = 0, joins_ = 0, leaves_ = 0;
  std::vector<std::string> join_examples_, leave_examples_;
};

struct Printed {
  Answer answer;
  bool all = false;  // nothing is left to be printed but the message for stderr
};
/// Prints to `out` while it reads. A failure before the first line is only returned.
Printed run_bucket(Client& client, const Command& command, bool as_json, std::ostream& out);

}  // namespace gray::control

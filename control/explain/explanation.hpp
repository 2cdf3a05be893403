#pragma once
// A decision with its steps: for a request that grayd decides on the table in force, and for a line of the access log.
// One function turns it into JSON for programs, one into words. Pure.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/policy/trace.hpp"

namespace gray::control {

struct Explanation {
  struct User {
    std::string source;  // as in the configuration: "cookie:uid"
    std::string text;    // empty: not known, because a log has the hash only
    std::uint64_t hash = 0;
  };

  std::string service;  // empty: no service takes the request
  std::uint64_t table = 0;
  std::string stable, canary, salt;  // of the service; canary empty: no version has users beside stable
  Threshold threshold;               // of the canary's weight
  std::optional<User> user;          // nothing: not identified
  std::string version;               // that the request gets
  segment::Decision decision = segment::Decision::none;
  bool down = false;                   // the version that the request names has no usable worker
  bool logged = false;                 // made of a line of the log
  std::string rule;                    // that chose the version, or the one that stable replaces; empty: none
  bool listed = false;                 // the allowlist chose it, likewise
  std::string canary_failure;          // why the canary failed the user of its bucket; empty: it did not
  std::string asked_first;             // version that did not have the file; empty: only one version was asked
  segment::Decision first_decision{};  // why it was asked
  bool asset = false;                  // a file of a page, for which other versions may be asked
  std::string peer;                    // whose address override_from checks
  std::vector<policy::Step> steps;     // of a line of the log only those that it has facts for
};

/// "cookie uid=77 → bucket 38.1 % ≥ 20 % → stable v1"
std::string summary_of(const Explanation& explanation);

/// The label of a step, and what the request had there: "header", "x-version: v2, but 192.0.2.7 is not in ...".
struct StepWords {
  std::string label, text;
};
StepWords words_of(const policy::Step& step, const Explanation& explanation);

/// The members of the answer to `grayctl why -o json`, the words included.
nlohmann::json json_of(const Explanation& explanation);

/// Percent of all users with a lower hash: 0 to 100.
double percent_of(std::uint64_t hash);
/// Of the users that the threshold takes.
double percent_of(const Threshold& threshold);
/// "20", "0.001"
std::string text_of_percent(double percent);
/// "38.1", with as many decimals as it takes to see on which side of the threshold the hash is.
std::string bucket_text(std::uint64_t hash, const Threshold& threshold);
/// As in the access log: 16 digits, or "all".
std::string text_of(const Threshold& threshold);

}  // namespace gray::control

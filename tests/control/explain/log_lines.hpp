#pragma once
// Lines of an access log as grayd writes them.
#include <nlohmann/json.hpp>
#include <string>

#include "config/shared/routing_table.hpp"
#include "control/explain/explanation.hpp"
#include "router/policy/decision.hpp"

namespace gray::test {

inline nlohmann::json log_line(const std::string& id, const std::string& user, double weight, bool canary_up = true) {
  const Threshold threshold = Threshold::of_percent(weight);
  const std::uint64_t hash = policy::bucket_hash("web/v2", user);
  const auto decision = policy::by_bucket(true, true, hash, threshold, canary_up);
  return {{"time", "2026-11-30T02:21:19.855399Z"},
          {"request_id", id},
          {"client", "127.0.0.1"},
          {"method", "GET"},
          {"host", "example.com"},
          {"path", "/a"},
          {"status", 200},
          {"reason", ""},
          {"bytes_out", 68},
          {"duration_us", 3560},
          {"queued_us", 0},
          {"service", "web"},
          {"version", decision == segment::Decision::bucket ? "v2" : "v1"},
          {"worker", "web@v1#0"},
          {"decision", segment::name_of(decision)},
          {"identity_source", "cookie:uid"},
          {"identity_hash", control::text_of(Threshold{.below = hash})},
          {"salt", "web/v2"},
          {"threshold", control::text_of(threshold)},
          {"table", 3},
          {"stable", "v1"},
          {"canary", "v2"},
          {"fallback", decision == segment::Decision::fallback},
          {"retries", 0}};
}

}  // namespace gray::test

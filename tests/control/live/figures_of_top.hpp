#pragma once
// Answers of grayd for the tests of this folder.
#include <nlohmann/json.hpp>
#include <string>

namespace gray::control {

inline nlohmann::json version_answer(const std::string& name, double weight, int requests = 0, int errors = 0) {
  using nlohmann::json;
  return {{"name", name},
          {"weight", weight},
          {"state", "serving"},
          {"cause", ""},
          {"instances", 2},
          {"requests", requests},
          {"errors", errors},
          {"sockets", 3},
          {"queue", {{"waiting", 1}, {"limit", 256}}},
          {"last_minute", {{"requests_per_second", 12.0}, {"error_ratio", 0.0}, {"p50_ms", 0.4}, {"p99_ms", 31.0}}},
          {"verdict", "none"},
          {"verdict_text", ""},
          {"workers",
           {{{"id", name + "#0"}, {"state", "healthy"}, {"rss_bytes", 1'000}, {"memory_bytes", 3'000}},
            {{"id", name + "#1"}, {"state", "ready"}, {"rss_bytes", 1'000}, {"memory_bytes", 0}}}}};
}

// An array: gcc and clang disagree on what json{one} is.
inline nlohmann::json status_answer(nlohmann::json::array_t versions) {
  return {{"version", "1.2.3"},
          {"pid", 4711},
          {"uptime_s", 185},
          {"services", {{{"name", "web"}, {"stable", "v1"}, {"undo_to", nullptr}, {"versions", std::move(versions)}}}}};
}

}  // namespace gray::control

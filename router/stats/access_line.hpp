#pragma once
// One line of the access log (design section 3): enough to replay the decision of a request later. Pure: a record in,
// text out, no allocation.
//
// The query string is never written: it may carry secrets. A decision by param is replayed from `decision` and
// `version`.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/stats/json_line.hpp"

namespace gray::stats {

// Members that are equal for all requests of a routing table are formatted once for each table, with the comma behind
// them: a line copies them.
inline constexpr std::string_view kNoDestination = R"("service":"","version":"",)";
inline constexpr std::string_view kNoIdentity = R"("identity_source":null,)";
inline constexpr std::string_view kNoRule =
    R"("salt":"","threshold":"0000000000000000","table":0,"stable":"","canary":"",)";
/// Names are valid by the rules of the configuration; empty: not reached.
std::string destination_members(std::string_view service, std::string_view version);
/// `source` in the form of the configuration, such as "cookie:uid".
std::string identity_member(std::string_view source);

/// What the table says about the users of a service.
struct LoggedRule {
  std::string_view salt = {};
  Threshold threshold = {};                   // written as 16 hex digits, or "all"
  std::uint64_t table = 0;                    // the number of the table that decides
  std::string_view stable = {}, canary = {};  // versions; no canary: empty
};
std::string rule_members(const LoggedRule& rule);

/// Views are borrowed until format_access_line() returns.
struct AccessRecord {
  WallTime time{};  // when the request head was complete
  std::string_view request_id;
  bool own_id = false;      // made by the router: needs no escapes
  std::string_view client;  // IP as text; empty: a unix peer
  std::string_view method, host;
  std::string_view path;  // may have a query: only what is before '?' is written
  int status = 0;         // as sent; 0: no answer could be sent
  segment::Reason reason = segment::Reason::none;
  std::uint64_t bytes_in = 0, bytes_out = 0;  // of bodies
  Micros duration{0};                         // first request byte to last response byte
  Micros upstream{0};                         // to the first byte of the worker's response; 0: none came
  Micros queued{0};
  std::string_view destination = kNoDestination;  // of destination_members()
  std::string_view worker;                        // valid by the rules of the configuration; empty: not reached
  segment::Decision decision = segment::Decision::none;
  std::string_view identity_source = kNoIdentity;  // of identity_member()
  std::optional<std::uint64_t> identity_hash;      // none: no identity, written as null
  std::string_view rule = kNoRule;                 // of rule_members()
  bool listed = false;            // the allowlist chose a version that did not answer, or else it is left out
  std::string_view matched_rule;  // name of the rule that chose the version; empty: none did, and it is left out
  bool fallback = false;          // a version was chosen for the user, who did not ask for it, and stable answered
  std::uint32_t retries = 0;
  std::string_view trace, span;  // of a request that was part of a trace; empty: the two members are left out
  std::string_view asked_first;  // version that did not have the asset; empty: no other was asked, and the next member
                                 // is left out, too
  segment::Decision first_decision = segment::Decision::none;  // why that version was asked
  segment::Reason canary_failure = segment::Reason::none;      // why the canary did not answer the user of its bucket
  std::string_view fault;  // id of the rule that was broken; empty: none was, and the three members are left out
  std::uint64_t fault_offset = 0;
  segment::Side fault_side = segment::Side::downstream;
};

// Longer texts are cut there, in bytes before escapes.
inline constexpr std::size_t kMaxIdText = 128;  // request id
inline constexpr std::size_t kMaxClientText = 64;
inline constexpr std::size_t kMaxMethodText = 32;
inline constexpr std::size_t kMaxHostText = 255;
inline constexpr std::size_t kMaxPathText = 1024;
inline constexpr std::size_t kMaxNameText = 128;  // reason, decision, service, version, worker, identity source
inline constexpr std::size_t kMaxSaltText = 256;
inline constexpr std::size_t kAccessScalars = 15;  // members that are not text, threshold included
inline constexpr std::size_t kMaxFaultText = 16;   // rule id, side
inline constexpr std::size_t kMaxTraceText = 32;
inline constexpr std::size_t kMaxPlace = 2 * JsonLine::max_plain(kMaxNameText);
inline constexpr std::size_t kMaxRule =
    2 * JsonLine::kMaxScalar + JsonLine::max_text(kMaxSaltText) + 2 * JsonLine::max_plain(kMaxNameText);

/// The longest line, whatever the record holds.
inline constexpr std::size_t kMaxAccessLine =
    JsonLine::kMaxFrame + kAccessScalars * JsonLine::kMaxScalar + JsonLine::max_text(kMaxIdText) +
    JsonLine::max_plain(kMaxClientText) + JsonLine::max_text(kMaxMethodText) + JsonLine::max_text(kMaxHostText) +
    JsonLine::max_text(kMaxPathText) + 12 * JsonLine::max_plain(kMaxNameText) + JsonLine::max_text(kMaxSaltText) +
    2 * JsonLine::max_plain(kMaxFaultText) + 2 * JsonLine::max_plain(kMaxTraceText);

/// Writes `{"time":...}` and a line end to `out`, which holds kMaxAccessLine characters. Returns the length.
std::size_t format_access_line(const AccessRecord& record, LineClock& clock, char* out);

}  // namespace gray::stats

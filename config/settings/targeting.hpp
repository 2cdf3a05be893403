#pragma once
// Which users and requests get a version although no percentage says so: the allowlist of a service and its rules
// (contract 2.4). Values; config/settings/targeting_toml.hpp reads them, router/targeting applies them.
//
// A version is named in words: "canary" is the version that has a weight above 0, "stable" the stable one, and
// everything else the name of a version. A version with one of these two names can only be meant by its role.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/address.hpp"

namespace gray {

inline constexpr std::string_view kCanaryRole = "canary", kStableRole = "stable";

inline constexpr std::size_t kMaxRules = 1'000;            // of a service
inline constexpr std::size_t kMaxRuleFields = 4'000;       // headers, cookies and parameters in the rules of a service
inline constexpr std::size_t kMaxRuleValues = 20'000;      // values, paths and networks in the rules of all services
inline constexpr std::size_t kMaxRuleBytes = 2 << 20;      // of the texts in the rules of all services
inline constexpr std::size_t kMaxRuleValue = 256;          // bytes of a value
inline constexpr std::size_t kMaxAllowlist = 4'000'000;    // ids of a service
inline constexpr std::size_t kMaxAllowlists = 64;          // services that have one
inline constexpr std::size_t kMaxId = 1'024;               // bytes of an id
inline constexpr std::size_t kMaxAllowlistFile = 1 << 28;  // bytes

/// A header, a cookie or a query parameter of the request.
struct FieldCondition {
  enum class Source : std::uint8_t { header, cookie, query };
  Source source = Source::header;
  std::string name;                 // of a header in lower case
  std::vector<std::string> values;  // it has one of them; empty: it is present
  template <class Io>
  void archive(Io& io) {
    io("source", source);
    io("name", name);
    io("values", values);
  }
  bool operator==(const FieldCondition&) const = default;
};
constexpr FieldCondition::Source last_value(FieldCondition::Source) { return FieldCondition::Source::query; }
/// "header", "cookie", "query".
constexpr const char* name_of(FieldCondition::Source source) {
  constexpr const char* kNames[] = {"header", "cookie", "query"};
  return kNames[static_cast<std::size_t>(source)];
}

/// All of its conditions must hold; it has at least one.
struct Rule {
  std::string name;
  std::string version{kCanaryRole};
  std::vector<FieldCondition> fields;
  std::vector<std::string> paths;  // prefixes of whole segments, one of them; empty: any
  std::vector<Cidr> clients;       // the client is in one of them; empty: any
  template <class Io>
  void archive(Io& io) {
    io("name", name);
    io("version", version);
    io("fields", fields);
    io("paths", paths);
    io("clients", clients);
  }
  bool operator==(const Rule&) const = default;
};

/// The users of the allowlist, by what identifies their table (config/settings/allowlist.hpp).
struct AllowlistRef {
  std::string version{kCanaryRole};
  std::uint64_t count = 0;   // of users; 0: there is no allowlist
  std::uint64_t digest = 0;  // of the users, in any order
  template <class Io>
  void archive(Io& io) {
    io("version", version);
    io("count", count);
    io("digest", digest);
  }
  bool operator==(const AllowlistRef&) const = default;
};

}  // namespace gray

#include "router/http/field_names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "router/http/characters.hpp"

namespace gray::http {

namespace {

struct Known {
  std::string_view text;
  Name id;
};

constexpr std::array kKnown{
    Known{"te", Name::te},
    Known{"via", Name::via},
    Known{"host", Name::host},
    Known{"date", Name::date},
    Known{"cookie", Name::cookie},
    Known{"expect", Name::expect},
    Known{"server", Name::server},
    Known{"trailer", Name::trailer},
    Known{"upgrade", Name::upgrade},
    Known{"forwarded", Name::forwarded},
    Known{"connection", Name::connection},
    Known{"keep-alive", Name::keep_alive},
    Known{"tracestate", Name::tracestate},
    Known{"traceparent", Name::traceparent},
    Known{"retry-after", Name::retry_after},
    Known{"x-request-id", Name::x_request_id},
    Known{"max-forwards", Name::max_forwards},
    Known{"authorization", Name::authorization},
    Known{"x-gray-reason", Name::x_gray_reason},
    Known{"sec-fetch-dest", Name::sec_fetch_dest},
    Known{"content-length", Name::content_length},
    Known{"x-gray-version", Name::x_gray_version},
    Known{"x-forwarded-for", Name::x_forwarded_for},
    Known{"x-gray-decision", Name::x_gray_decision},
    Known{"x-forwarded-host", Name::x_forwarded_host},
    Known{"proxy-connection", Name::proxy_connection},
    Known{"transfer-encoding", Name::transfer_encoding},
    Known{"x-forwarded-proto", Name::x_forwarded_proto},
    Known{"proxy-authenticate", Name::proxy_authenticate},
    Known{"proxy-authorization", Name::proxy_authorization},
    Known{"x-forwarded-client-cert", Name::x_forwarded_client_cert},
};
constexpr std::size_t kLongest = kKnown.back().text.size();

constexpr std::size_t kSlots = 256;

// Length, first and last character distinguish all known names. Letters are compared without case; no known name begins
// or ends with '-'.
constexpr std::size_t slot_of(std::string_view name) {
  const auto letter = [](char c) { return static_cast<unsigned char>(c) | 0x20u; };
  return ((name.size() + letter(name.front())) * 8 + letter(name.back())) % kSlots;
}

constexpr auto kHashSlots = [] {
  std::array<Known, kSlots> hash_slots{};
  for (const Known& known : kKnown) {
    if (known.text.size() > kLongest) throw "kLongest is too small";
    Known& hash_slot = hash_slots[slot_of(known.text)];
    if (!hash_slot.text.empty()) throw "two names in one slot";
    hash_slot = known;
  }
  return hash_slots;
}();

// Among token characters only the two cases of a letter give that letter with bit 0x20 set, and only '-' gives '-'.
// Eight of them are compared at once; the last eight may overlap the ones before.
bool same_word(const char* token, const char* known) {
  std::uint64_t a = 0, b = 0;
  std::memcpy(&a, token, sizeof a);
  std::memcpy(&b, known, sizeof b);
  return (a | 0x2020202020202020) == b;
}

bool equals_known(std::string_view token, std::string_view known) {
  const std::size_t size = known.size();
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (!same_word(token.data() + i, known.data() + i)) return false;
    }
    return same_word(token.data() + size - 8, known.data() + size - 8);
  }
  return std::equal(known.begin(), known.end(), token.begin(), [](char k, char t) { return (t | 0x20) == k; });
}

constexpr std::string_view kGrayPrefix = "x-gray-", kForwardedPrefix = "x-forwarded-";

bool begins_with(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && equals_known(name.substr(0, prefix.size()), prefix);
}

}  // namespace

Name name_of(std::string_view name) {
  if (name.empty()) return Name::other;
  const Known& known = kHashSlots[slot_of(name)];
  if (known.text.size() == name.size() && equals_known(name, known.text)) return known.id;
  if ((name.front() | 0x20) != 'x') return Name::other;
  if (begins_with(name, kGrayPrefix)) return Name::x_gray;
  return begins_with(name, kForwardedPrefix) ? Name::x_forwarded : Name::other;
}

bool shadows_known_name(std::string_view name) {
  if (name.size() > kLongest || name.find('_') == std::string_view::npos) return false;
  std::array<char, kLongest> dashed{};
  std::replace_copy(name.begin(), name.end(), dashed.begin(), '_', '-');
  const Name id = name_of({dashed.data(), name.size()});
  return id != Name::other && id != Name::x_gray;
}

}  // namespace gray::http

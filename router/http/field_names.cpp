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

// Ordered by length, which the index below relies on (and checks).
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
};
constexpr std::size_t kLongest = kKnown.back().text.size();
static_assert(std::is_sorted(kKnown.begin(), kKnown.end(),
                             [](const Known& a, const Known& b) { return a.text.size() < b.text.size(); }));

// kFirst[n] is the first known name of length n or more.
constexpr auto kFirst = [] {
  std::array<std::uint8_t, kLongest + 2> first{};
  for (std::size_t length = 0; length < first.size(); ++length) {
    std::size_t i = 0;
    while (i < kKnown.size() && kKnown[i].text.size() < length) ++i;
    first[length] = static_cast<std::uint8_t>(i);
  }
  return first;
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

constexpr std::string_view kGrayPrefix = "x-gray-";

}  // namespace

Name name_of(std::string_view name) {
  if (name.size() > kLongest) return Name::other;
  const std::size_t end = kFirst[name.size() + 1];
  for (std::size_t i = kFirst[name.size()]; i < end; ++i) {
    if (equals_known(name, kKnown[i].text)) return kKnown[i].id;
  }
  return Name::other;
}

bool is_gray_name(Name id, std::string_view name) {
  if (id == Name::x_gray_version || id == Name::x_gray_decision || id == Name::x_gray_reason) return true;
  return id == Name::other && name.size() >= kGrayPrefix.size() &&
         equals_ignoring_case(name.substr(0, kGrayPrefix.size()), kGrayPrefix);
}

bool shadows_known_name(std::string_view name) {
  if (name.size() > kLongest || name.find('_') == std::string_view::npos) return false;
  std::array<char, kLongest> dashed{};
  std::replace_copy(name.begin(), name.end(), dashed.begin(), '_', '-');
  return name_of({dashed.data(), name.size()}) != Name::other;
}

}  // namespace gray::http

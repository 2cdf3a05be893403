#include "router/wire/upgrade.hpp"

#include <algorithm>
#include <array>

#include "router/http/characters.hpp"

namespace gray::http {

namespace {

// Other versions of HTTP, and TLS, which may hide any protocol.
constexpr std::array<std::string_view, 5> kNeverOffered{"h2c", "h2", "h3", "http", "tls"};

// protocol = name ["/" version], both tokens.
bool is_protocol(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view name = text.substr(0, slash);
  const std::string_view version = slash == std::string_view::npos ? "1" : text.substr(slash + 1);
  const auto is_word = [](std::string_view word) {
    return !word.empty() && skip_token(word.data(), word.data() + word.size()) == word.data() + word.size();
  };
  return is_word(name) && is_word(version);
}

bool may_be_offered(std::string_view protocol) {
  const std::string_view name = protocol.substr(0, protocol.find('/'));
  return is_protocol(protocol) && std::none_of(kNeverOffered.begin(), kNeverOffered.end(),
                                               [name](std::string_view no) { return equals_ignoring_case(name, no); });
}

// The parser has bounded the members of both lists: kMaxListMembers.
template <typename Fits>
bool all_members(std::string_view list, Fits fits) {
  std::string_view member;
  for (bool more = true; next_member(list, more, member);) {
    if (!fits(member)) return false;
  }
  return true;
}

// The value of the one field of that name; empty if there is none, or more than one.
std::string_view only(const Fields& fields, Name id) {
  std::string_view value;
  std::size_t count = 0;
  for (const Field& field : fields) {
    if (field.id != id) continue;
    value = field.value;
    ++count;
  }
  return count == 1 ? value : std::string_view{};
}

}  // namespace

std::string_view offered_protocols(const RequestHead& head) {
  if (!head.upgrade || head.fields.find("http2-settings") != nullptr) return {};
  const std::string_view list = only(head.fields, Name::upgrade);
  return !list.empty() && all_members(list, may_be_offered) ? list : std::string_view{};
}

std::string_view taken_protocol(const ResponseHead& head, std::string_view offered) {
  const std::string_view taken = only(head.fields, Name::upgrade);
  const auto was_offered = [offered](std::string_view protocol) {
    return !all_members(offered, [&](std::string_view one) { return !equals_ignoring_case(one, protocol); });
  };
  const bool sound = !taken.empty() && !offered.empty() && all_members(taken, was_offered);
  return sound ? taken : std::string_view{};
}

}  // namespace gray::http

#include "router/policy/decision.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace gray::policy {
namespace {

using segment::Decision;

constexpr std::size_t kJoined = 256;  // salt and identity that are hashed in one piece
constexpr socklen_t kIpText = INET6_ADDRSTRLEN;

std::optional<std::uint32_t> version_named(const ServiceRoute& route, std::string_view name) {
  for (std::uint32_t i = 0; i < route.versions.size(); ++i) {
    if (route.versions[i].name == name) return i;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> version_by_param(const ServiceRoute& route, std::string_view path_query) {
  if (route.param.empty()) return std::nullopt;
  const auto value = query_param(path_query, route.param);
  if (!value) return std::nullopt;
  for (std::uint32_t i = 0; i < route.versions.size(); ++i) {
    if (decodes_to(*value, route.versions[i].name)) return i;
  }
  return std::nullopt;
}

/// A unix peer is a process of this host that may open the socket: it is inside every list that lets anybody in.
bool may_override(const ServiceRoute& route, const Address& peer) {
  if (peer.kind == Address::Kind::unix_path) return !route.override_from.empty();
  return is_trusted(peer, route.override_from);
}

std::optional<std::uint32_t> version_by_header(const ServiceRoute& route, const http::Fields& fields,
                                               const Address& peer) {
  if (route.header.empty()) return std::nullopt;
  const http::Field* field = fields.find(route.header);
  if (!field || !may_override(route, peer)) return std::nullopt;
  return version_named(route, field->value);
}

std::optional<std::uint32_t> version_by_cookie(const ServiceRoute& route, const http::Fields& fields) {
  if (route.cookie.empty()) return std::nullopt;
  const auto value = cookie_value(fields, route.cookie);
  return value ? version_named(route, *value) : std::nullopt;
}

/// The same hash as over the joined text, for texts of any length. The state to set up costs several times the hash
/// itself.
std::uint64_t streamed_hash(std::string_view salt, std::string_view identity) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, salt.data(), salt.size());
  XXH3_64bits_update(&state, "", 1);
  XXH3_64bits_update(&state, identity.data(), identity.size());
  return XXH3_64bits_digest(&state);
}

/// Address::ip_text() without its string: an IPv6 text does not fit into a small one.
std::string_view ip_text(const Address& address, std::array<char, kIpText>& out) {
  if (address.kind == Address::Kind::unix_path) return {};
  if (address.kind == Address::Kind::ipv6) {
    return inet_ntop(AF_INET6, address.ip.data(), out.data(), kIpText) ? out.data() : std::string_view();
  }
  char* at = out.data();
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, at + 3, static_cast<unsigned>(address.ip[i])).ptr;
  }
  return {out.data(), static_cast<std::size_t>(at - out.data())};
}

std::string_view header_identity(const http::Fields& fields, std::string_view name) {
  for (const http::Field& field : fields) {
    if (!field.value.empty() && http::equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

/// The first source that is present and not empty; empty if there is none.
std::string_view identity_of(const ServiceRoute& route, const http::Fields& fields, const Address& client,
                             std::array<char, kIpText>& scratch) {
  for (const IdentitySource& source : route.identity) {
    std::string_view found;
    switch (source.kind) {
      case IdentitySource::Kind::cookie:
      case IdentitySource::Kind::issued_cookie:
        found = cookie_value(fields, source.name).value_or("");
        break;
      case IdentitySource::Kind::header:
        found = header_identity(fields, source.name);
        break;
      case IdentitySource::Kind::client_ip:
        found = ip_text(client, scratch);
        break;
    }
    if (!found.empty()) return found;
  }
  return {};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

/// The part of `rest` before `separator`; `rest` becomes what is behind it.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

/// The value of cookie `name` in one Cookie field, RFC 6265 4.2.1.
std::optional<std::string_view> cookie_in(std::string_view rest, std::string_view name) {
  while (!rest.empty()) {
    const std::string_view pair = trimmed(next_part(rest, ';'));
    if (pair.size() > name.size() && pair[name.size()] == '=' && pair.starts_with(name)) {
      return unquoted(trimmed(pair.substr(name.size() + 1)));
    }
  }
  return std::nullopt;
}

/// The rightmost member of a comma-separated list; `rest` becomes what is before it.
std::string_view last_part(std::string_view& rest) {
  const std::size_t comma = rest.rfind(',');
  const std::string_view part = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
  rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
  return trimmed(part);
}

}  // namespace

Choice decide(const ServicePolicy& service, const http::RequestHead& head, const Address& client, const Address& peer,
              bool canary_up) {
  const ServiceRoute& route = *service.route;
  std::array<char, kIpText> scratch;
  const std::string_view identity = identity_of(route, head.fields, client, scratch);
  Choice choice{.version = route.stable};
  if (!identity.empty()) {
    choice.identified = true;
    choice.identity_hash = bucket_hash(route.salt, identity);
  }
  const auto choose = [&choice](std::uint32_t version, Decision decision) {
    choice.version = version;
    choice.decision = decision;
    return choice;
  };
  if (const auto version = version_by_param(route, head.path_query)) return choose(*version, Decision::param);
  if (const auto version = version_by_header(route, head.fields, peer)) return choose(*version, Decision::header);
  if (const auto version = version_by_cookie(route, head.fields)) return choose(*version, Decision::cookie);
  if (!route.canary || !choice.identified || !service.threshold.takes(choice.identity_hash)) return choice;
  return canary_up ? choose(*route.canary, Decision::bucket) : choose(route.stable, Decision::fallback);
}

std::uint64_t bucket_hash(std::string_view salt, std::string_view identity) {
  char joined[kJoined];
  if (salt.size() + 1 + identity.size() > sizeof joined) return streamed_hash(salt, identity);
  char* end = std::copy(salt.begin(), salt.end(), joined);
  *end++ = '\0';
  end = std::copy(identity.begin(), identity.end(), end);
  return XXH3_64bits(joined, static_cast<std::size_t>(end - joined));
}

std::optional<std::string_view> query_param(std::string_view path_query, std::string_view name) {
  const std::size_t mark = path_query.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  std::string_view rest = path_query.substr(mark + 1);
  while (!rest.empty()) {
    std::string_view value = next_part(rest, '&');
    if (decodes_to(next_part(value, '='), name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> cookie_value(const http::Fields& fields, std::string_view name) {
  for (const http::Field& field : fields) {
    if (field.id != http::Name::cookie) continue;
    if (const auto value = cookie_in(field.value, name)) return value;
  }
  return std::nullopt;
}

bool decodes_to(std::string_view encoded, std::string_view plain) {
  std::size_t at = 0;
  for (const char wanted : plain) {
    if (at == encoded.size()) return false;
    char c = encoded[at++];
    if (c == '+') {
      c = ' ';
    } else if (c == '%' && encoded.size() - at >= 2) {
      const int high = hex_value(encoded[at]), low = hex_value(encoded[at + 1]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        at += 2;
      }
    }
    if (c != wanted) return false;
  }
  return at == encoded.size();
}

Address client_address(const Address& peer, const http::Fields& fields, const std::vector<Cidr>& trusted) {
  Address client = peer;
  for (std::size_t i = fields.count; i-- > 0;) {
    const http::Field& field = fields.items[i];
    if (field.id != http::Name::x_forwarded_for) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      if (!is_trusted(client, trusted)) return client;
      const auto hop = parse_ip(last_part(rest));
      if (!hop) return client;
      client = *hop;
    }
  }
  return client;
}

bool is_trusted(const Address& peer, const std::vector<Cidr>& trusted) {
  return std::any_of(trusted.begin(), trusted.end(), [&](const Cidr& network) { return network.contains(peer); });
}

}  // namespace gray::policy

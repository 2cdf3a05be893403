#include "router/policy/identity.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <arpa/inet.h>

#include <tuple>

#include "config/base/decimal.hpp"
#include "router/targeting/pairs.hpp"

namespace gray::policy {
namespace {

static_assert(std::tuple_size_v<IdentityScratch> >= INET6_ADDRSTRLEN);
static_assert(std::tuple_size_v<IdentityScratch> >= std::tuple_size_v<IssuedId>);

/// Address::ip_text() without its string: an IPv6 text does not fit into a small one.
std::string_view ip_text(const Client& client, IdentityScratch& out) {
  if (!client.ip.empty()) return client.ip;
  const Address& address = client.address;
  if (address.kind == Address::Kind::unix_path) return {};
  if (address.kind == Address::Kind::ipv6) {
    return inet_ntop(AF_INET6, address.ip.data(), out.data(), static_cast<socklen_t>(out.size())) ? out.data()
                                                                                                  : std::string_view();
  }
  char* at = out.data();
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = write_decimal(static_cast<std::uint64_t>(address.ip[i]), at);
  }
  return {out.data(), static_cast<std::size_t>(at - out.data())};
}

std::string_view field_value(const http::Fields& fields, std::string_view name) {
  for (const http::Field& field : fields) {
    if (!field.value.empty() && http::equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::string_view in_hex(const XXH128_hash_t& hash, IdentityScratch& out) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  char* at = out.data();
  for (const unsigned char byte : bytes.digest) {
    *at++ = "0123456789abcdef"[byte >> 4];
    *at++ = "0123456789abcdef"[byte & 15];
  }
  return {out.data(), sizeof bytes.digest * 2};
}

/// Each part ends with a zero byte, so that no two users differ only by where one part ends.
std::string_view issued_id(const http::Fields& fields, const Client& client, std::uint64_t seed,
                           IdentityScratch& scratch) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_128bits_reset_withSeed(&state, seed);
  const auto add = [&state](std::string_view part) {
    XXH3_128bits_update(&state, part.data(), part.size());
    XXH3_128bits_update(&state, "", 1);
  };
  const bool has_ip = client.address.kind != Address::Kind::unix_path;
  add(has_ip ? ip_text(client, scratch) : field_value(fields, "x-forwarded-for"));
  add(field_value(fields, "user-agent"));
  add(field_value(fields, "accept-language"));
  return in_hex(XXH3_128bits_digest(&state), scratch);
}

}  // namespace

Identity find_identity(const ServiceRoute& route, const http::Fields& fields, const Client& client, std::uint64_t seed,
                       IdentityScratch& scratch) {
  using Kind = IdentitySource::Kind;
  for (const IdentitySource& source : route.identity) {
    std::string_view found;
    switch (source.kind) {
      case Kind::cookie:
      case Kind::issued_cookie: found = cookie_value(fields, source.name).value_or(""); break;
      case Kind::header: found = field_value(fields, source.name); break;
      case Kind::client_ip: found = ip_text(client, scratch); break;
    }
    if (!found.empty()) return {found, &source};
    if (source.kind == Kind::issued_cookie) return {issued_id(fields, client, seed, scratch), &source, true};
  }
  return {};
}

std::optional<std::string_view> cookie_value(const http::Fields& fields, std::string_view name) {
  std::optional<std::string_view> value;
  targeting::for_each_cookie(fields, [&](std::string_view its, std::string_view raw) {
    if (its == name) value = targeting::cookie_text(raw);
    return !value;
  });
  return value;
}

}  // namespace gray::policy

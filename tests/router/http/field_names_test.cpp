#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "router/http/field_names.hpp"

using namespace gray::http;

namespace {

const std::vector<std::pair<std::string, Name>> kNames = {
    {"Host", Name::host},
    {"Connection", Name::connection},
    {"Content-Length", Name::content_length},
    {"Transfer-Encoding", Name::transfer_encoding},
    {"TE", Name::te},
    {"Trailer", Name::trailer},
    {"Upgrade", Name::upgrade},
    {"Expect", Name::expect},
    {"Keep-Alive", Name::keep_alive},
    {"Proxy-Connection", Name::proxy_connection},
    {"Proxy-Authenticate", Name::proxy_authenticate},
    {"Proxy-Authorization", Name::proxy_authorization},
    {"Authorization", Name::authorization},
    {"Cookie", Name::cookie},
    {"Via", Name::via},
    {"Forwarded", Name::forwarded},
    {"X-Forwarded-For", Name::x_forwarded_for},
    {"X-Forwarded-Proto", Name::x_forwarded_proto},
    {"X-Forwarded-Host", Name::x_forwarded_host},
    {"X-Forwarded-Client-Cert", Name::x_forwarded_client_cert},
    {"X-Request-Id", Name::x_request_id},
    {"X-Gray-Version", Name::x_gray_version},
    {"X-Gray-Decision", Name::x_gray_decision},
    {"X-Gray-Reason", Name::x_gray_reason},
    {"Max-Forwards", Name::max_forwards},
    {"traceparent", Name::traceparent},
    {"tracestate", Name::tracestate},
    {"Sec-Fetch-Dest", Name::sec_fetch_dest},
    {"Retry-After", Name::retry_after},
    {"Date", Name::date},
    {"Server", Name::server},
};

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
  return text;
}

}  // namespace

TEST_CASE("Every name that the router acts on is found in any case") {
  CHECK(kNames.size() == static_cast<std::size_t>(Name::server));
  for (const auto& [text, id] : kNames) {
    CAPTURE(text);
    CHECK(name_of(text) == id);
    CHECK(name_of(upper(text)) == id);
  }
}

TEST_CASE("A name that differs in one byte is not known") {
  const auto other = [](std::string_view name) {
    const bool forwarded = name.starts_with("X-Forwarded-");
    return name_of(name) == (name.starts_with("X-Gray-") ? Name::x_gray : forwarded ? Name::x_forwarded : Name::other);
  };
  for (const auto& [text, id] : kNames) {
    CAPTURE(text);
    CHECK(other(text + "s"));
    CHECK(other(text.substr(1)));
    std::string changed = text;
    changed.back() = '!';
    CHECK(other(changed));
  }
  CHECK(name_of("") == Name::other);
  CHECK(name_of(std::string(5000, 'a')) == Name::other);
}

TEST_CASE("Every X-Gray-* name belongs to the router") {
  CHECK(name_of("x-gray-whatever") == Name::x_gray);
  CHECK(name_of("X-GRAY-") == Name::x_gray);
  CHECK(name_of("X-Gray") == Name::other);
  CHECK(name_of("X-Grays-a") == Name::other);
  CHECK(name_of("Y-Gray-a") == Name::other);
}

TEST_CASE("Every X-Forwarded-* name counts only from a trusted proxy (P31)") {
  CHECK(name_of("X-Forwarded-Port") == Name::x_forwarded);
  CHECK(name_of("x-FORWARDED-") == Name::x_forwarded);
  CHECK(name_of("X-Forwarded") == Name::other);
  CHECK(name_of("X-Forwarder-Port") == Name::other);
  CHECK(shadows_known_name("X_Forwarded_Port"));
}

TEST_CASE("A name with underscores shadows the name with dashes (P31)") {
  CHECK(shadows_known_name("X_Forwarded_For"));
  CHECK(shadows_known_name("x-forwarded_for"));
  CHECK(shadows_known_name("CONTENT_LENGTH"));
  CHECK_FALSE(shadows_known_name("X-Forwarded-For"));
  CHECK_FALSE(shadows_known_name("my_header"));
  CHECK_FALSE(shadows_known_name("x_gray_whatever"));
}

#include "router/policy/answer_cookies.hpp"

#include <doctest/doctest.h>

#include "tests/router/policy/request.hpp"

namespace gray::policy {
namespace {

using Life = http::SetCookie::Life;

ServiceRoute with_cookie() {
  ServiceRoute route;
  route.cookie = "version";
  route.versions.resize(2);
  route.versions[1].name = "v2";
  return route;
}

bool secure(std::string_view scheme, bool trusted, std::string_view forwarded = "") {
  const auto head = request("/");
  if (!forwarded.empty())
    head->fields.items[head->fields.count++] = {http::Name::x_forwarded_proto, "X-Forwarded-Proto", forwarded};
  return is_secure(scheme, trusted, head->fields);
}

TEST_CASE("https is what the connection shows, or what a trusted proxy says") {
  CHECK(secure("https", false));
  CHECK_FALSE(secure("http", false));
  CHECK_FALSE(secure("http", false, "https"));
  CHECK(secure("https", false, "http"));
  CHECK(secure("http", true, "https"));
  CHECK(secure("http", true, "HTTPS , http"));
  CHECK_FALSE(secure("https", true, "http, https"));
  CHECK(secure("https", true));
}

TEST_CASE("an issued identity lasts a year and is hidden from scripts, a pin lasts for the session") {
  const ServiceRoute route = with_cookie();
  const IdentitySource source{IdentitySource::Kind::issued_cookie, "gid"};
  Choice choice{.version = 1, .identity = &source, .issues = true, .pin = Pin::set};
  choice.issued.fill('a');
  AnswerCookies cookies;
  CHECK(cookies.all().empty());
  cookies.set(route, choice, false);
  REQUIRE(cookies.all().size() == 2);
  const http::SetCookie &issued = cookies.all()[0], &pin = cookies.all()[1];
  CHECK(issued.name == "gid");
  CHECK(issued.value == std::string(32, 'a'));
  CHECK(issued.life == Life::year);
  CHECK(issued.http_only);
  CHECK(pin.name == "version");
  CHECK(pin.value == "v2");
  CHECK(pin.life == Life::session);
  CHECK_FALSE(pin.http_only);
  cookies.set(route, {}, false);
  CHECK(cookies.all().empty());
}

TEST_CASE("a pin is removed by a cookie without a value that has expired") {
  const ServiceRoute route = with_cookie();
  AnswerCookies cookies;
  cookies.set(route, {.pin = Pin::expire}, true);
  REQUIRE(cookies.all().size() == 1);
  CHECK(cookies.all()[0].value.empty());
  CHECK(cookies.all()[0].life == Life::expired);
}

TEST_CASE("browsers accept SameSite=None and Partitioned only with Secure, so no cookie has them without") {
  ServiceRoute route = with_cookie();
  const Choice choice{.version = 1, .pin = Pin::set};
  const auto set = [&](bool https) {
    AnswerCookies cookies;
    cookies.set(route, choice, https);
    return cookies.all()[0];
  };
  for (const bool https : {false, true}) {
    route.cookie_same_site = SameSite::lax;
    route.cookie_partitioned = false;
    CHECK(set(https).same_site == "Lax");
    CHECK(set(https).secure == https);
    CHECK_FALSE(set(https).partitioned);
    route.cookie_same_site = SameSite::strict;
    CHECK(set(https).same_site == "Strict");
    route.cookie_same_site = SameSite::none;
    route.cookie_partitioned = true;
    CHECK(set(https).same_site == (https ? "None" : "Lax"));
    CHECK(set(https).partitioned == https);
  }
}

}  // namespace
}  // namespace gray::policy

#include "router/policy/answer_cookies.hpp"

#include "router/http/split.hpp"

namespace gray::policy {
namespace {

std::string_view same_site_text(SameSite same_site, bool secure) {
  if (same_site == SameSite::strict) return "Strict";
  return same_site == SameSite::none && secure ? "None" : "Lax";
}

}  // namespace

// Several proxies may have appended to the field: the first one saw the client.
bool is_secure(std::string_view scheme, bool trusted, const http::Fields& fields) {
  const http::Field* field = trusted ? fields.find(http::Name::x_forwarded_proto) : nullptr;
  if (field == nullptr || field->value.empty()) return scheme == "https";
  std::string_view rest = field->value;
  return http::equals_ignoring_case(http::trimmed(http::next_part(rest, ',')), "https");
}

void AnswerCookies::set(const ServiceRoute& service, const Choice& choice, bool secure) {
  using Life = http::SetCookie::Life;
  const http::SetCookie common{.secure = secure,
                               .partitioned = secure && service.cookie_partitioned,
                               .same_site = same_site_text(service.cookie_same_site, secure)};
  const auto add = [&](std::string_view name, std::string_view value, Life life, bool http_only) {
    http::SetCookie& cookie = cookies_[count_++] = common;
    cookie.name = name;
    cookie.value = value;
    cookie.life = life;
    cookie.http_only = http_only;
  };
  count_ = 0;
  if (choice.issues) add(choice.identity->name, {choice.issued.data(), choice.issued.size()}, Life::year, true);
  // A script of the page may read the pin: it names a version, and is no secret.
  if (choice.pin == Pin::set) add(service.cookie, service.versions[choice.version].name, Life::session, false);
  if (choice.pin == Pin::expire) add(service.cookie, {}, Life::expired, false);
}

}  // namespace gray::policy

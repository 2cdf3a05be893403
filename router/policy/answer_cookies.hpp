#pragma once
// The cookies that an answer sets for a decision: an identity that was issued, and the pin of a version. Values in,
// values out.
//
// A pin keeps the assets of a page with the page: a browser that opens /?version=v2 asks for the page's scripts without
// the parameter. The cookie that names a version (config key `cookie`) is then set to v2 for the session of the
// browser, and an empty parameter removes it.
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "config/shared/routing_table.hpp"
#include "router/http/additions.hpp"
#include "router/http/message.hpp"
#include "router/policy/decision.hpp"

namespace gray::policy {

/// Whether the client uses https: as its connection shows, or as a trusted proxy says.
bool is_secure(std::string_view scheme, bool trusted, const http::Fields& fields);

class AnswerCookies {
 public:
  /// Keeps views into `service` and `choice`. Browsers accept SameSite=None and Partitioned only with Secure: without
  /// https a cookie gets SameSite=Lax instead, and is not partitioned.
  void set(const ServiceRoute& service, const Choice& choice, bool secure);
  std::span<const http::SetCookie> all() const { return {cookies_.data(), count_}; }

 private:
  std::array<http::SetCookie, 2> cookies_;
  std::size_t count_ = 0;
};

}  // namespace gray::policy

#pragma once
// The four forms of a request target (RFC 9112 3.2) and the authority in it or in Host (RFC 3986 3.2).
#include <string_view>

#include "router/wire/head.hpp"

namespace gray::http {

struct Target {
  std::string_view path_query;    // origin-form, or "*"
  std::string_view authority;     // of absolute-form; else empty
  const char* problem = nullptr;  // why it is refused with 400 (P7)
};

/// `text` must hold target characters only. The caller has refused CONNECT before.
Target read_target(Method method, std::string_view text);

/// uri-host [":" port], without user information, and nothing else: no path, blank or comma (P6). An empty host or
/// port is refused: an http URI must not have one.
bool is_valid_authority(std::string_view text);

}  // namespace gray::http

#pragma once
// The answer to a client for which there is no memory, or no place: it needs no memory either.
#include <string_view>

namespace gray::proxy {

inline constexpr std::string_view kOverloadedAnswer =
    "HTTP/1.1 503 Service Unavailable\r\nX-Gray-Reason: overloaded\r\nRetry-After: 1\r\nContent-Length: "
    "0\r\nConnection: close\r\n\r\n";

/// Answers a new connection and closes it.
void turn_away(int fd);
/// The same without an answer: to a client that would not understand it.
void turn_away_silently(int fd);

}  // namespace gray::proxy

#pragma once
// What a client is told that sends or reads badly, in HTTP/1.1 and in HTTP/2.
#include "router/http/message.hpp"

namespace gray::proxy {

inline constexpr http::Fault kLargeBody{413, "P8", "the request body is larger than this service allows", 0};
inline constexpr http::Fault kSlowReader{408, "P8", "the client reads the answer more slowly than min_rate", 0};
inline constexpr http::Fault kSlowBody{408, "P8", "the request body arrives more slowly than min_rate", 0};

}  // namespace gray::proxy

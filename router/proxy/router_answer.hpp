#pragma once
// The router's own answers: with a reason, or as the last hop. Pure.
#include <string_view>

#include "config/shared/segment.hpp"
#include "router/http/additions.hpp"
#include "router/http/message.hpp"

namespace gray::proxy {

/// The reason that the client gets for a fault of its request (contract 2.4).
segment::Reason reason_of(const http::Fault& fault);

inline constexpr http::Fault kNoMemory{503, "memory", "the router's memory budget is used up", 0};

/// Status, reason and text of the answer. Reason::none: as the last hop of an OPTIONS. `detail`: the text of the fault,
/// if there was one. The caller adds ids, version and connection.
http::LocalAnswer router_answer(segment::Reason reason, std::string_view detail);

}  // namespace gray::proxy

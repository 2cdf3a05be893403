#pragma once
// What the router says by itself: an answer with its reason, or the one of a last hop. Pure.
#include <string_view>

#include "config/shared/segment.hpp"
#include "router/http/additions.hpp"
#include "router/http/message.hpp"

namespace gray::proxy {

/// A fault of a request as the reason that the client is told (contract 2.4).
segment::Reason reason_of(const http::Fault& fault);

/// Status, reason and text of the answer. Reason::none: as the last hop of an OPTIONS. `detail`: of the fault, if there
/// was one. Ids, version and connection are left to the caller.
http::LocalAnswer router_answer(segment::Reason reason, std::string_view detail);

}  // namespace gray::proxy

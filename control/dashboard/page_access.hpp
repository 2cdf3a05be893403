#pragma once
// Who may do what on the page, judged by the fields of a request. Pure.
//
// The page has no login: it listens on a loopback address, and a browser on that host is what can be misused. A foreign
// site may let the browser send requests to the page (cross-site request forgery), or may let its own name point to the
// address of the page (DNS rebinding). The first shows in Origin and Sec-Fetch-Site, the second in Host.
#include <string_view>

#include "control/verbs/verb_table.hpp"

namespace gray::control {

/// An IP address or "localhost", with or without a port: a name that no foreign site can have.
bool is_own_host(std::string_view host);

/// Whether a request with these fields may come from the page itself; an empty field was not sent.
bool is_same_origin(std::string_view origin, std::string_view fetch_site, std::string_view host);

/// Whether the page may change something with this verb, if it may change anything.
bool is_for_page(Verb verb);

}  // namespace gray::control

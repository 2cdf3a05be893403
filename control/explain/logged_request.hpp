#pragma once
// Why a request of the access log got its version, from its line: for `grayctl why REQUEST_ID` and for the page. The
// same words in both. Pure.
#include <string>
#include <string_view>

#include "control/daemon.hpp"
#include "control/explain/log_search.hpp"

namespace gray::control {

inline constexpr std::size_t kLongestRequestId = 128;  // as in the log, which cuts a longer one

/// Why this cannot be the id of a request; empty: it can.
std::string error_in_request_id(std::string_view id);

/// The explanation, or why there is none. `file` is the newest file of the log, `bounds` those of the search.
Reply explain_logged(const LogSearch& search, const std::string& id, const std::string& file,
                     const SearchBounds& bounds = {});

}  // namespace gray::control

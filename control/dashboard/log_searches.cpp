#include "control/dashboard/log_searches.hpp"

#include "control/explain/log_search.hpp"
#include "control/explain/logged_request.hpp"

namespace gray::control {
namespace {

constexpr int kNotFound = 404;

}  // namespace

LogAnswer LogSearches::find(const std::string& file, const std::string& id, const std::function<bool()>& gone) {
  if (auto error = error_in_request_id(id); !error.empty()) return {refusal(ExitCode::usage, std::move(error))};
  if (file.empty())
    return {refusal(ExitCode::failed,
                    "the access log is off, so nothing is known about past requests; set access_log in the "
                    "configuration, or ask for a path"),
            kNotFound};
  const Seats::Taken seat(seats_);
  if (!seat)
    return {refusal(ExitCode::conflict,
                    "the access log is being searched for others; try again, or use grayctl why REQUEST_ID")};
  const TimePoint until = Clock::now() + kLongest;
  const SearchBounds bounds{.bytes = kMostBytes, .over = [&] { return Clock::now() >= until || gone(); }};
  const LogSearch search = find_request({file, file + ".1"}, id, bounds);
  const bool absent = search.end == LogSearch::End::absent || search.end == LogSearch::End::bound;
  return {explain_logged(search, id, file, bounds), absent ? kNotFound : 0};
}

}  // namespace gray::control

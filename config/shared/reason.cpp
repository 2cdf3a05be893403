#include <array>

#include "config/shared/segment.hpp"

namespace gray::segment {
namespace {

struct ReasonText {
  Reason reason;
  int status;
  const char* name;
};

// Contract 2.4, in the order of the enum.
constexpr std::array<ReasonText, static_cast<std::size_t>(Reason::count)> kReasons{{
    {Reason::none, 0, ""},
    {Reason::bad_request, 400, "bad-request"},
    {Reason::expectation_failed, 417, "bad-request"},
    {Reason::request_timeout, 408, "request-timeout"},
    {Reason::too_large, 413, "too-large"},
    {Reason::target_too_long, 414, "too-large"},
    {Reason::head_too_large, 431, "too-large"},
    {Reason::unsupported, 501, "unsupported"},
    {Reason::version_unsupported, 505, "unsupported"},
    {Reason::no_route, 404, "no-route"},
    {Reason::connect_failed, 502, "connect-failed"},
    {Reason::upstream_closed, 502, "upstream-closed"},
    {Reason::upstream_invalid, 502, "upstream-invalid"},
    {Reason::connect_timeout, 504, "connect-timeout"},
    {Reason::response_timeout, 504, "response-timeout"},
    {Reason::version_down, 503, "version-down"},
    {Reason::queue_full, 503, "queue-full"},
    {Reason::queue_timeout, 503, "queue-timeout"},
    {Reason::overloaded, 503, "overloaded"},
    {Reason::draining, 503, "draining"},
    {Reason::held, 503, "held"},
    {Reason::maintenance, 503, "maintenance"},
    {Reason::client_gone, 499, "client-gone"},
    {Reason::tunnel_idle, 499, "tunnel-idle"},
    {Reason::slow_client, 408, "slow-client"},
    {Reason::length_required, 411, "length-required"},
    {Reason::client_cert, 403, "client-cert"},
    {Reason::misdirected, 421, "misdirected"},
}};

constexpr bool complete() {
  for (std::size_t i = 0; i < kReasons.size(); ++i)
    if (static_cast<std::size_t>(kReasons[i].reason) != i || kReasons[i].name == nullptr) return false;
  return true;
}
static_assert(complete(), "one row per reason, in the order of the enum");

constexpr std::array<const char*, static_cast<std::size_t>(Decision::count)> kDecisions{
    "", "param", "header", "cookie", "allowlist", "rule", "bucket", "stable", "fallback", "asset"};
static_assert(kDecisions.back() != nullptr);

}  // namespace

const char* name_of(Reason reason) { return kReasons.at(static_cast<std::size_t>(reason)).name; }
int status_of(Reason reason) { return kReasons.at(static_cast<std::size_t>(reason)).status; }
const char* name_of(Side side) { return side == Side::upstream ? "upstream" : "downstream"; }
const char* name_of(Decision decision) { return kDecisions.at(static_cast<std::size_t>(decision)); }

}  // namespace gray::segment

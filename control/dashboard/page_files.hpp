#pragma once
// The files of the page, as its build leaves them (control/dashboard/page): one HTML file with everything in it, the
// same compressed, and its Content-Security-Policy. Pure.
#include <string>
#include <string_view>

namespace gray::control {

struct PageFiles {
  std::string_view html, gzip;
  std::string policy;
  /// Whether there is a page: a build without npm has none.
  explicit operator bool() const { return !html.empty() && !gzip.empty() && !policy.empty(); }
};

/// Those that are part of this program.
PageFiles built_in_page();

}  // namespace gray::control

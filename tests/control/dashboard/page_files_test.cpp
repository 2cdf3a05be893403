#include "control/dashboard/page_files.hpp"

#include <doctest/doctest.h>

using namespace gray::control;

TEST_CASE("the program has all files of the page, or none") {
  const PageFiles page = built_in_page();
  if (!page) {
    CHECK((page.html.empty() && page.gzip.empty() && page.policy.empty()));
    return;
  }
  CHECK(page.html.find("<!doctype html>") != std::string_view::npos);
  CHECK(page.gzip.starts_with("\x1f\x8b"));
  CHECK(page.gzip.size() <= 45 << 10);
  CHECK(page.policy.starts_with("default-src 'none'"));
  CHECK(page.policy.find('\n') == std::string::npos);
}

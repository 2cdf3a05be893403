#include "control/dashboard/page_files.hpp"

// Made by the assembler (page_files.S.in).
extern "C" {
extern const char gray_page_html[], gray_page_html_end[];
extern const char gray_page_gzip[], gray_page_gzip_end[];
extern const char gray_page_policy[], gray_page_policy_end[];
}

namespace gray::control {
namespace {

std::string_view bytes_between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// Its line end is not part of a field.
std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find_first_of("\r\n"))); }

}  // namespace

PageFiles built_in_page() {
  return {bytes_between(gray_page_html, gray_page_html_end), bytes_between(gray_page_gzip, gray_page_gzip_end),
          first_line(bytes_between(gray_page_policy, gray_page_policy_end))};
}

}  // namespace gray::control

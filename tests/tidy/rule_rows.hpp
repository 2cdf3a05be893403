#pragma once
// Checks the table of docs/http.md: every rule has a row, and the tests that a row names exist.
#include <vector>

#include "tests/tidy/rules.hpp"

namespace gray::tidy {

/// `document` is docs/http.md; `tests` are files that contain tests. A row names a file in `backticks`, followed by the
/// titles of its tests in "quotes".
Findings check_rule_rows(const File& document, const std::vector<File>& tests);

}  // namespace gray::tidy

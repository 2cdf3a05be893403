#pragma once
// The comments of config/reference.toml by key: the texts about the keys are written there only. Pure.
//
// A comment belongs to the lines with keys directly below it, or to the table whose header is below it; an empty line
// ends it. A path has * for each name that the user chooses: service.*.version.*.weight.
#include <map>
#include <string>
#include <string_view>

namespace gray {

/// config/reference.toml as it was when the program was built.
extern const std::string_view kReferenceText;

/// By path, one line each.
std::map<std::string, std::string> reference_comments(std::string_view reference);

}  // namespace gray

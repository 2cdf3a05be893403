#pragma once
// The forms of all keys as a JSON Schema (draft-07), for editors. Pure.
//
// A schema sees one key at a time. What depends on two keys (a stable version that exists, two weights, two listeners
// at one address), on the host (a program, a user, a file) or on the sum of many values only `grayd --check` finds.
#include <map>
#include <string>

#include "config/keys/key_form.hpp"

namespace gray {

/// `texts`: of reference_comments(). A key of [service.NAME.release] without a text has that of the same key of a
/// version.
std::string json_schema(const KeyForm& root, const std::map<std::string, std::string>& texts);

}  // namespace gray

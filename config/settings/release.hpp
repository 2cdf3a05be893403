#pragma once
// The settings of a deployed version, from `[service.NAME.release]`. Pure.
//
// {version} in a text is replaced by the name of the version. {{WORD}} is written as {WORD}, and ${WORD}, which a shell
// replaces, stays as it is. Every other {WORD} is an error of the file.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings/settings.hpp"

namespace gray {

/// The first {WORD} that has no meaning: "verson"; nothing if there is none.
std::optional<std::string> unknown_placeholder(std::string_view text);

/// The settings of the version of this name; `env` is laid over that of the release.
VersionSettings instantiate(const ReleaseSettings& release, const std::string& version,
                            const std::map<std::string, std::string>& env = {});

}  // namespace gray

#pragma once
// Where `grayd demo` keeps its files, so that `grayctl` of the same user finds it without being told: one folder with a
// fixed name, in $XDG_RUNTIME_DIR or else in /tmp. A folder counts only if it belongs to this user and no other user
// may enter it: anyone can create a name in /tmp.
//
// A demo breaks and heals by a file in its folder. The worker looks at it at each request, so a new process of the same
// version behaves as the one before.
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace gray::demo {

constexpr const char* kSocket = "grayd.sock";  // for grayctl
constexpr const char* kMarker = "demo";        // a file beside the configuration: this grayd is a demo

/// How a version can be broken; the first is the default.
constexpr std::array<std::string_view, 3> kBreaks = {"errors", "slow", "crash"};

bool is_break(std::string_view word);

/// The file that holds how a version is broken; without it the version is not.
std::string break_file(std::string_view version);

/// "answers every request with 500": what a version with this break does.
std::string_view break_text(std::string_view how);

/// The fixed folders, the best first. `runtime`: $XDG_RUNTIME_DIR, or empty.
std::vector<std::string> places(const std::string& runtime);
/// For this process.
std::vector<std::string> own_places();

/// A folder, not a link, of this user, that no other user may enter.
bool is_private(const std::string& folder);

/// The socket of a demo that answers in one of these folders; empty: there is none.
std::string living_socket(const std::vector<std::string>& folders);

}  // namespace gray::demo

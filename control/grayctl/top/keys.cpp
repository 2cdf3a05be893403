#include "control/grayctl/top/keys.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

namespace gray::control {
namespace {

constexpr char kEscape = '\x1b';
constexpr auto kSorts = static_cast<std::uint8_t>(SortBy::count);

SortBy moved(SortBy sort, std::uint8_t steps) {
  return static_cast<SortBy>((static_cast<std::uint8_t>(sort) + steps) % kSorts);
}

/// Bytes of the sequence at the front of `keys`, which begins with Escape.
std::size_t sequence_length(std::string_view keys) {
  if (keys.size() < 2) return 1;
  if (keys[1] != '[' && keys[1] != 'O') return 2;
  std::size_t end = 2;
  while (end < keys.size() && (keys[end] < '@' || keys[end] > '~')) ++end;
  return std::min(end + 1, keys.size());
}

void type(Controls& controls, char key) {
  if (key == '\r' || key == '\n') {
    controls.typing = false;
  } else if (key == '\x7f' || key == '\b') {
    if (!controls.filter.empty()) controls.filter.pop_back();
  } else if (key == '\x15') {  // Ctrl-U
    controls.filter.clear();
  } else if (key >= ' ' && key <= '~' && controls.filter.size() < Controls::kLongestFilter) {
    controls.filter += key;
  }
}

void command(Controls& controls, char key) {
  switch (key) {
    case 'q': controls.quit = true; return;
    case 's': controls.sort = moved(controls.sort, 1); return;
    case 'S': controls.sort = moved(controls.sort, kSorts - 1); return;
    case '/': controls.typing = true; return;
    case 'p':
    case ' ': controls.paused = !controls.paused; return;
    case '?': controls.help = !controls.help; return;
    default: return;
  }
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

const char* name_of(SortBy sort) {
  constexpr std::array kNames = {"service", "weight", "rps", "err%", "p50", "p99", "socks", "queue", "mem"};
  static_assert(kNames.size() == kSorts);
  return kNames[static_cast<std::size_t>(sort)];
}

void press(Controls& controls, std::string_view keys) {
  while (!keys.empty() && !controls.quit) {
    if (keys.front() == kEscape) {
      const std::size_t length = sequence_length(keys);
      if (length == 1 && controls.typing) {
        controls.typing = false;
        controls.filter.clear();
      }
      keys.remove_prefix(length);
      continue;
    }
    controls.typing ? type(controls, keys.front()) : command(controls, keys.front());
    keys.remove_prefix(1);
  }
}

bool matches(const Controls& controls, std::string_view service, std::string_view version) {
  const std::string name = lower(service) + " " + lower(version);
  std::istringstream words(lower(controls.filter));
  for (std::string word; words >> word;)
    if (name.find(word) == std::string::npos) return false;
  return true;
}

}  // namespace gray::control

#include "grayd/demo/grayctl_words.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace gray::demo {
namespace {

namespace fs = std::filesystem;

/// The grayctl that a shell finds; empty: none.
fs::path in_search_path() {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const fs::path file = fs::path(folder) / "grayctl"; ::access(file.c_str(), X_OK) == 0) return file;
  return {};
}

std::string for_shell(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("/._-+@%").find(c) != std::string_view::npos;
  };
  if (std::ranges::all_of(word, plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string grayctl_words(const std::string& program, const std::string& socket) {
  std::error_code ignored;
  const fs::path beside = fs::absolute(program, ignored).parent_path() / "grayctl";
  std::string words = "grayctl";
  if (::access(beside.c_str(), X_OK) == 0 && !fs::equivalent(in_search_path(), beside, ignored))
    words = for_shell(beside.lexically_normal().string());
  return socket.empty() ? words : fmt::format("{} --socket {}", words, for_shell(socket));
}

}  // namespace gray::demo

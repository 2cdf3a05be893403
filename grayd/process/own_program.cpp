#include "grayd/process/own_program.hpp"

#include <sys/auxv.h>

#include <filesystem>

namespace gray::master {

std::string program_path(std::string_view started_as, const std::string& cwd, const std::string& actual) {
  std::error_code ignored;
  const auto path = std::filesystem::path(cwd) / started_as;
  const bool same = !started_as.empty() && std::filesystem::equivalent(path, actual, ignored);
  return same ? path.lexically_normal().string() : actual;
}

std::string own_program() {
  std::error_code ignored;
  auto actual = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  constexpr std::string_view kGone = " (deleted)";
  if (actual.ends_with(kGone)) actual.resize(actual.size() - kGone.size());
  const auto* const name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  const std::string_view started_as = name == nullptr ? "" : name;
  if (started_as.starts_with("/dev/fd/") || started_as.starts_with("/proc/")) return actual;  // fexecve(3)
  return program_path(started_as, std::filesystem::current_path(ignored).string(), actual);
}

}  // namespace gray::master

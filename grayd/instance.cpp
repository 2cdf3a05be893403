#include "grayd/instance.hpp"

#define XXH_INLINE_ALL
#include <fmt/core.h>
#include <xxhash.h>

#include <fstream>
#include <random>
#include <stdexcept>

#include "config/base/log.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {
namespace {

bool is_identifier(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::string instance_of(const std::string& state_dir) {
  const auto path = state_dir + "/instance";
  std::string id;
  std::ifstream(path) >> id;
  if (!is_identifier(id)) {
    std::random_device random;
    id = fmt::format("{:08x}{:08x}", random(), random());
    std::ofstream file(path, std::ios::trunc);
    file << id << '\n' << std::flush;
    if (!file) {
      throw std::runtime_error(
          fmt::format("cannot write {}; state_dir must be a folder that grayd may write to", path));
    }
  }
  // XXH3 is the same in every build, unlike std::hash.
  return fmt::format("{:016x}-{}", XXH3_64bits(state_dir.data(), state_dir.size()), id);
}

std::string swept_instance(const std::string& state_dir) {
  auto instance = instance_of(state_dir);
  if (const int killed = supervisor::sweep_leftovers(instance); killed > 0) {
    log(LogLevel::warn, fmt::format("killed {} processes that an earlier grayd left behind", killed));
  }
  return instance;
}

}  // namespace gray::master

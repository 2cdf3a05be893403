#include "grayd/handoff/self_exec.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <stdexcept>

#include "grayd/handoff/exec_image.hpp"
#include "grayd/handoff/handoff.hpp"

namespace gray::master {
namespace {

using nlohmann::json;

std::set<int> numbers_in(const json& state, const char* name) {
  std::set<int> numbers;
  Load load(state);
  load(name, numbers);
  return numbers;
}

std::set<int> open_descriptors() {
  std::set<int> fds;
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return fds;
  while (const dirent* const entry = ::readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    if (fd > 2 && fd != ::dirfd(folder)) fds.insert(fd);
  }
  ::closedir(folder);
  return fds;
}

/// Closes descriptors that the state does not name and that are not needed here: a wrapper program between the two
/// images opened them, or one is the file of this program if it is a script.
void close_strays(const std::set<int>& announced, const ResumeArguments& arguments) {
  for (const int fd : open_descriptors()) {
    if (!announced.contains(fd) && fd != arguments.state && fd != arguments.back) ::close(fd);
  }
}

void read_all(const ResumeArguments& arguments, const std::function<void(Load&)>& read) {
  const auto state = unpack_handoff(arguments.state);
  const auto announced = numbers_in(state, "fds");
  close_strays(announced, arguments);
  Load load(state, announced);
  read(load);
  if (!load.left().empty()) {
    throw std::runtime_error(fmt::format("descriptor {} was handed over but is not used", *load.left().begin()));
  }
}

}  // namespace

std::string hand_over(HandedOver& state, const std::string& config, int next) try {
  const UniqueFd back(::open("/proc/self/exe", O_PATH | O_CLOEXEC));
  Save save;
  state.write(save);
  auto inherited = save.fds();
  auto written = save.take();
  written["fds"] = inherited;
  const auto packed = pack_handoff(written);
  inherited.insert({packed.get(), back.get(), next});
  const auto arguments = resume_arguments({config, packed.get(), back.get(), {}});
  return fmt::format("exec: {}", std::strerror(exec_image(next, arguments, inherited)));
} catch (const std::exception& error) {
  return fmt::format("writing the state: {}", error.what());
}

std::vector<std::string> resume_arguments(const ResumeArguments& arguments) {
  std::vector<std::string> all{"grayd",  "--config", arguments.config,
                               "resume", "--state",  std::to_string(arguments.state)};
  if (arguments.back >= 0) all.insert(all.end(), {"--back", std::to_string(arguments.back)});
  return all;
}

void take_over(const ResumeArguments& arguments, const std::function<void(Load&)>& read) {
  if (arguments.back < 0) {
    read_all(arguments, read);
  } else {
    auto again = resume_arguments({arguments.config, arguments.state, -1, {}});
    again.emplace_back("--returned");
    const Fallback fallback(arguments.back, std::move(again), open_descriptors());
    try {
      read_all(arguments, read);
    } catch (const std::exception& error) {
      fallback.go(error.what());
    }
  }
  ::close(arguments.state);
  if (arguments.back >= 0) ::close(arguments.back);
}

}  // namespace gray::master

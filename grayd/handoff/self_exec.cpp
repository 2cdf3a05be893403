#include "grayd/handoff/self_exec.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <stdexcept>

#include "config/base/archive.hpp"
#include "grayd/handoff/exec_image.hpp"
#include "grayd/handoff/handoff.hpp"
#include "grayd/master.hpp"
#include "grayd/small_heap.hpp"

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

/// Beside what the state announces and what we need ourselves: opened by whoever stood between the two images, or the
/// file of this one if it is a script.
void close_strays(const std::set<int>& announced, const ResumeArguments& arguments) {
  for (const int fd : open_descriptors()) {
    if (!announced.contains(fd) && fd != arguments.state && fd != arguments.back) ::close(fd);
  }
}

/// On the heap and without an owner, for it must not be destroyed if it cannot be read.
Master* read_master(const ResumeArguments& arguments) {
  const auto state = unpack_handoff(arguments.state);
  const auto announced = numbers_in(state, "fds");
  close_strays(announced, arguments);
  Load load(state, announced);
  ConfigFile file(kRestored);
  load("file", file);
  auto loaded = file.as_read();
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) {
    throw std::runtime_error("the configuration in force is refused: " +
                             errors->text.substr(0, errors->text.find('\n')));
  }
  auto* const master = new Master(std::get<Settings>(std::move(loaded)), std::move(file), kRestored);
  load("master", *master);
  if (!load.left().empty()) {
    throw std::runtime_error(fmt::format("descriptor {} was handed over but is not used", *load.left().begin()));
  }
  return master;
}

Master* read_or_go_back(const ResumeArguments& arguments, const std::function<void()>& objection) {
  auto again = resume_arguments({arguments.config, arguments.state, -1, {}});
  again.emplace_back("--returned");
  const WayBack way_back(arguments.back, std::move(again), open_descriptors());
  try {
    auto* const master = read_master(arguments);
    objection();
    return master;
  } catch (const std::exception& error) {
    way_back.go(error.what());
  }
}

}  // namespace

std::string hand_over(Master& master, ConfigFile& file, int next) try {
  const UniqueFd image(::open("/proc/self/exe", O_PATH | O_CLOEXEC));
  Save save;
  save("file", file);
  save("master", master);
  auto inherited = save.fds();
  auto state = save.take();
  state["fds"] = inherited;
  const auto packed = pack_handoff(state);
  inherited.insert({packed.get(), image.get(), next});
  const auto arguments = resume_arguments({file.path(), packed.get(), image.get(), {}});
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

int run_resumed(const ResumeArguments& arguments, const std::function<void()>& objection) {
  keep_heap_small();
  ::prctl(PR_SET_NAME, "grayd");  // the kernel names it after the number of its descriptor
  const std::unique_ptr<Master> master(arguments.back >= 0 ? read_or_go_back(arguments, objection)
                                                           : read_master(arguments));
  ::close(arguments.state);
  if (arguments.back >= 0) ::close(arguments.back);
  return master->resume(arguments.returned);
}

}  // namespace gray::master

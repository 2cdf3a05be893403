#include "grayd/resume.hpp"

#include <sys/prctl.h>

#include <memory>
#include <stdexcept>

#include "grayd/handoff/self_exec.hpp"
#include "grayd/master.hpp"
#include "grayd/process/privileges.hpp"
#include "grayd/process/small_heap.hpp"

namespace gray::master {
namespace {

/// On the heap and without an owner: a master that was only partly read must not be destroyed.
Master* read_master(Load& from) {
  ConfigFile file(kRestored);
  from("file", file);
  auto loaded = file.as_read();
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) {
    throw std::runtime_error("the configuration in force is refused: " +
                             errors->text.substr(0, errors->text.find('\n')));
  }
  auto* const master = new Master(std::get<Settings>(std::move(loaded)), std::move(file), kRestored);
  from("master", *master);
  return master;
}

}  // namespace

int run_resumed(const ResumeArguments& arguments, const std::function<void()>& objection) {
  keep_master_capabilities();  // the exec gave root all of them again
  keep_heap_small();
  ::prctl(PR_SET_NAME, "grayd");  // the kernel names it after the number of its descriptor
  Master* read = nullptr;
  take_over(arguments, [&](Load& from) {
    read = read_master(from);
    objection();
  });
  const std::unique_ptr<Master> master(read);
  return master->resume(arguments.returned);
}

}  // namespace gray::master

// grayd: parse the command line, load the configuration, run. Everything else has its own file.
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "config/base/exit_code.hpp"
#include "config/keys/json_schema.hpp"
#include "config/keys/reference_comments.hpp"
#include "control/state/state_store.hpp"
#include "grayd/demo/demo.hpp"
#include "grayd/demo/demo_worker.hpp"
#include "grayd/doctor/doctor.hpp"
#include "grayd/guard/guard_child.hpp"
#include "grayd/handoff/handoff.hpp"
#include "grayd/init/init.hpp"
#include "grayd/master.hpp"
#include "grayd/preflight.hpp"
#include "grayd/process/command_line.hpp"
#include "grayd/process/inherited_signals.hpp"
#include "grayd/process/own_program.hpp"
#include "grayd/process/small_heap.hpp"
#include "grayd/resume.hpp"
#include "grayd/routers/router_child.hpp"

namespace {

using namespace gray;
using master::CommandLine;

int bad_config(const std::string& text) {
  fmt::print(stderr, "{}", text);
  return static_cast<int>(ExitCode::bad_config);
}

int serve_or_check(const CommandLine& line) {
  master::reset_signals();
  ConfigFile file(line.config);
  auto loaded = file.read();
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) return bad_config(errors->text);
  auto& settings = std::get<Settings>(loaded);
  const bool check = line.mode == CommandLine::Mode::check;
  const auto faults = master::preflight_of_start(settings, control::StateStore::peek(settings.state_dir));
  if (master::is_fatal(faults) || (check && !faults.empty())) {
    return bad_config(master::rendered(faults, settings.file));
  }
  fmt::print(stderr, "{}", settings.warnings.text);
  if (check) {
    fmt::print("{} is valid\n", settings.file);
    return 0;
  }
  master::keep_heap_small();
  return master::run_master(std::move(settings), std::move(file));
}

/// What `--check` finds wrong with a file that was just written.
std::string faults_of(const std::string& path) {
  auto loaded = ConfigFile(path).read();
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) return errors->text;
  const auto& settings = std::get<Settings>(loaded);
  const auto faults = master::preflight_of_start(settings, control::StateStore::peek(settings.state_dir));
  return faults.empty() ? std::string() : master::rendered(faults, settings.file);
}

int write_first_file(const CommandLine& line) {
  master::reset_signals();
  return init::run_init(line.init, master::own_program(), faults_of);
}

int print_schema() {
  fmt::print("{}", json_schema(described_keys(kReferenceText), reference_comments(kReferenceText)));
  return 0;
}

int show_demo(const CommandLine& line) {
  master::reset_signals();
  return demo::run_demo(line.demo, master::own_program());
}

int run(const CommandLine& line) {
  switch (line.mode) {
    case CommandLine::Mode::init: return write_first_file(line);
    case CommandLine::Mode::schema: return print_schema();
    case CommandLine::Mode::doctor: return doctor::run_doctor(line.doctor);
    case CommandLine::Mode::demo: return show_demo(line);
    case CommandLine::Mode::demo_worker: return demo::run_worker();
    case CommandLine::Mode::router: return master::run_router_child(line.router);
    case CommandLine::Mode::guard: return master::run_guard(line.guard);
    case CommandLine::Mode::resume: return master::run_resumed(line.resume);
    case CommandLine::Mode::check_handoff: fmt::print("{}", master::handoff_numbers()); return 0;
    case CommandLine::Mode::serve:
    case CommandLine::Mode::check: return serve_or_check(line);
    case CommandLine::Mode::leave: break;
  }
  fmt::print(stdout, "{}", line.output);
  fmt::print(stderr, "{}", line.error);
  return line.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(master::parse_command_line(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "grayd: {}\n", error.what());
    return static_cast<int>(ExitCode::failed);
  }
}

// A grayd that passes every check, takes over, and then fails: once it has read everything it refuses (the default),
// crashes, or hangs, depending on GRAY_REFUSING.
#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "grayd/handoff/handoff.hpp"
#include "grayd/process/command_line.hpp"
#include "grayd/resume.hpp"

namespace {

void object() {
  const char* const named = std::getenv("GRAY_REFUSING");
  const std::string_view how = named == nullptr ? "" : named;
  if (how == "crash") ::raise(SIGSEGV);
  if (how == "abort") std::abort();
  if (how == "stand") ::alarm(1);  // its limit, in less time
  if (how == "stand") ::pause();
  throw std::runtime_error("refused at the last moment");
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = gray::master::parse_command_line(argc, argv);
  using Mode = gray::master::CommandLine::Mode;
  if (line.mode == Mode::resume) return gray::master::run_resumed(line.resume, object);
  if (line.mode == Mode::check_handoff) fmt::print("{}", gray::master::handoff_numbers());
  return line.mode == Mode::check || line.mode == Mode::check_handoff ? 0 : 1;
}

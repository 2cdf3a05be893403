#include "grayd/handoff/self_exec.hpp"

#include <doctest/doctest.h>

// The exec itself, and every way back, is in tests/integration: upgrade_test.py and faults/replacement_test.py.

using namespace gray;
using namespace gray::master;

namespace {

CommandLine parsed(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv;
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

TEST_CASE("an image that follows is told by arguments that it understands") {
  const auto line = parsed(resume_arguments({"/etc/grayd.toml", 21, 22, {}}));
  CHECK(line.mode == CommandLine::Mode::resume);
  CHECK(line.resume.config == "/etc/grayd.toml");
  CHECK(line.resume.state == 21);
  CHECK(line.resume.back == 22);
  CHECK(line.resume.returned.empty());
}

TEST_CASE("one that is come back to has no way back itself") {
  auto arguments = resume_arguments({"a.toml", 21, -1, {}});
  arguments.insert(arguments.end(), {"--returned", "--state is \"no\" good"});
  const auto line = parsed(arguments);
  CHECK(line.mode == CommandLine::Mode::resume);
  CHECK(line.resume.back == -1);
  CHECK(line.resume.returned == "--state is \"no\" good");
}

TEST_CASE("without a state nothing is read, and it is an error where there is no way back") {
  bool read = false;
  CHECK_THROWS_AS(take_over({"a.toml", -1, -1, {}}, [&](Load&) { read = true; }), std::runtime_error);
  CHECK_FALSE(read);
}

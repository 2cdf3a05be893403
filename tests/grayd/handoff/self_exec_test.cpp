#include "grayd/handoff/self_exec.hpp"

#include <doctest/doctest.h>

// The exec itself, and every fallback, is tested in tests/integration: upgrade_test.py and faults/replacement_test.py.

using namespace gray;
using namespace gray::master;

namespace {

CommandLine parsed(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv;
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

TEST_CASE("the command line of the next image can be parsed") {
  const auto line = parsed(resume_arguments({"/etc/grayd.toml", 21, 22, {}}));
  CHECK(line.mode == CommandLine::Mode::resume);
  CHECK(line.resume.config == "/etc/grayd.toml");
  CHECK(line.resume.state == 21);
  CHECK(line.resume.back == 22);
  CHECK(line.resume.returned.empty());
}

TEST_CASE("the command line of a fallback has no further fallback") {
  auto arguments = resume_arguments({"a.toml", 21, -1, {}});
  arguments.insert(arguments.end(), {"--returned", "--state is \"no\" good"});
  const auto line = parsed(arguments);
  CHECK(line.mode == CommandLine::Mode::resume);
  CHECK(line.resume.back == -1);
  CHECK(line.resume.returned == "--state is \"no\" good");
}

TEST_CASE("without a state nothing is read, which is an error if there is no fallback") {
  bool read = false;
  CHECK_THROWS_AS(take_over({"a.toml", -1, -1, {}}, [&](Load&) { read = true; }), std::runtime_error);
  CHECK_FALSE(read);
}

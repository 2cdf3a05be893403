// With programs in the place of grayd; the whole is tested by tests/integration/init_test.py.
#include "grayd/init/trial.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::init;
using End = Observation::End;

namespace {

/// A script as grayd; it writes its pid and the path of its configuration to `seen`.
struct Fake {
  test::Folder folder;
  std::string program = (folder.path / "grayd").string();

  explicit Fake(const std::string& script) {
    std::ofstream(program) << "#!/bin/sh\necho $$ \"$2\" >\"" << (folder.path / "seen").string() << "\"\n" << script;
    ::chmod(program.c_str(), 0755);
  }
  Observation run(Duration limit) const {
    Plan plan;
    plan.command = {"true"};
    return run_trial({plan, "web", folder.path.string(), program, limit});
  }
  void check_nothing_is_left() const {
    pid_t pid = 0;
    std::string file;
    std::ifstream(folder.path / "seen") >> pid >> file;
    REQUIRE(pid > 0);
    CHECK(::kill(pid, 0) != 0);
    CHECK(file.starts_with("/tmp/grayd-init-"));
    CHECK_FALSE(std::filesystem::exists(std::filesystem::path(file).parent_path()));
  }
};

}  // namespace

TEST_CASE("a grayd that ends is shown with its output") {
  const Fake fake("echo 'no such user' >&2\nexit 1\n");
  const auto seen = fake.run(Duration{20'000});
  CHECK(seen.end == End::no_grayd);
  CHECK(seen.cause == "no such user\n");
  fake.check_nothing_is_left();
}

TEST_CASE("a grayd that does not answer is ended when the time is up") {
  const Fake fake("exec sleep 1000\n");
  CHECK(fake.run(Duration{300}).end == End::time_up);
  fake.check_nothing_is_left();
}

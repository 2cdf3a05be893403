#include "grayd/handoff/binary_check.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "grayd/handoff/handoff.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct BinaryCheckFixture {
  test::Folder folder;
  asio::io_context io;
  std::optional<BinaryCheck> check;
  std::optional<CheckEnd> end;
  std::string path = folder.path / "next";

  /// A script that behaves like a good program, unless `script` ends it first.
  void write(const std::string& script) const {
    std::ofstream(path) << "#!/bin/sh\n"
                        << script << "\n[ $1 = check-handoff ] && echo '"
                        << handoff_numbers().substr(0, handoff_numbers().size() - 1) << "'\nexit 0\n";
    ::chmod(path.c_str(), 0755);
  }
  CheckEnd ask(Duration limit = Duration{20'000}) {
    end.reset();
    check.emplace(io, path, "/etc/grayd.toml", [this](CheckEnd one) { end = std::move(one); }, limit);
    CHECK_FALSE(end);
    const auto deadline = Clock::now() + Duration{30'000};
    io.restart();
    while (!end && Clock::now() < deadline) io.run_one_for(Duration{50});
    REQUIRE(end);
    return *end;
  }
};

}  // namespace

TEST_CASE_FIXTURE(BinaryCheckFixture, "a good program reports its numbers, checks the configuration, and stays open") {
  write("echo \"$@\" >> " + path + ".asked");
  CHECK(ask().code == ExitCode::ok);
  CHECK(check->program() >= 0);
  std::ifstream asked(path + ".asked");
  std::string first, second;
  std::getline(asked, first);
  std::getline(asked, second);
  CHECK(first == "check-handoff");
  CHECK(second == "--check --config /etc/grayd.toml");
  CHECK(check->phase() == "checking the configuration with " + path);
}

TEST_CASE_FIXTURE(BinaryCheckFixture, "a file that is not a program is refused, with its kind") {
  CHECK(ask().text == "checking the program " + path + ": No such file or directory");
  write("");
  ::chmod(path.c_str(), 0644);
  CHECK(ask().text == "checking the program " + path + ": it is not executable (chmod +x)");
  path = folder.path;
  CHECK(ask().text == "checking the program " + path + ": it is a folder");
  path = "/dev/null";
  CHECK(ask().text == "checking the program " + path + ": it is not a file");
}

TEST_CASE_FIXTURE(BinaryCheckFixture, "a program that does not answer like grayd is refused, with its output") {
  write("echo sorry; exit 2");
  CHECK(ask().text.ends_with(": its command check-handoff failed, so it cannot replace grayd: exit 2: sorry"));
  write("echo hello; exit 0");
  CHECK(ask().text.ends_with("so it is not grayd, or it is an old grayd"));
  write("[ $1 = --check ] && { echo 'line 3: what?'; exit 8; }");
  CHECK(ask().text ==
        "checking the configuration with " + path + ": it refuses /etc/grayd.toml: exit 8: line 3: what?");
  CHECK(end->code == ExitCode::failed);
}

TEST_CASE_FIXTURE(BinaryCheckFixture, "a program that does not answer at all is a timeout, in each check") {
  write("sleep 1000");
  CHECK(ask(Duration{200}).code == ExitCode::timeout);
  CHECK(end->text == "checking the program " + path + ": it gave no answer within 200ms");
  write("[ $1 = --check ] && sleep 1000");
  CHECK(ask(Duration{3'000}).code == ExitCode::timeout);
  CHECK(end->text.starts_with("checking the configuration with "));
}

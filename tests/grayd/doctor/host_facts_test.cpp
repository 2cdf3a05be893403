#include "grayd/doctor/host_facts.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::doctor;

TEST_CASE("the name of a process is that of its program, of a script that of the package manager") {
  const auto named = [](std::string words) {
    for (char& c : words)
      if (c == '|') c = '\0';
    return program_name(words, "comm");
  };
  CHECK(named("/usr/bin/node|server.js|") == "node");
  CHECK(named("npm start|") == "npm");
  CHECK(named("node|/usr/bin/yarn|start|") == "yarn");
  CHECK(named("node|/usr/share/npm/bin/npm-cli.js|start|") == "npm");
  CHECK(named("node|--inspect|yarn|") == "node");
  CHECK(named("/bin/sh|-c|x|") == "sh");
  CHECK(named("") == "comm");
}

TEST_CASE("this process and this host are looked at") {
  const test::Folder folder;
  Settings settings;
  settings.state_dir = folder.path.string();
  settings.access_log = folder.path / "access.log";
  std::ofstream(settings.access_log) << "12345";
  Facts facts;
  facts.pid = ::getpid();
  facts.socket = folder.path / "a.sock";
  std::ofstream(facts.socket).put('x');
  REQUIRE(::chmod(facts.socket.c_str(), 0606) == 0);
  facts.routers.push_back({::getpid(), "ready", 1, std::nullopt});
  WorkerFacts worker;
  worker.pid = ::getpid();
  facts.services.push_back({"web", "v1", "v1", 0, {}});
  facts.services[0].versions.emplace_back().workers.push_back(worker);
  look_at_host(facts, std::filesystem::read_symlink("/proc/self/exe").string(), &settings);
  CHECK(facts.routers[0].file_limit.value_or(0) > 0);
  CHECK(facts.memory.value().ram > 0);
  CHECK(facts.admin.value().mode == 0606);
  CHECK_FALSE(facts.program.value().replaced);
  CHECK_FALSE(facts.program.value().gone);
  CHECK(facts.listen_backlog.value_or(0) > 0);
  REQUIRE(facts.stores.size() == 2);
  CHECK(facts.stores[1].bytes == 5);
  CHECK(facts.stores[0].disk_bytes > 0);
  const WorkerFacts& seen = facts.services[0].versions[0].workers[0];
  CHECK(seen.leader.value().pid == ::getpid());
  CHECK(seen.ports.has_value());
}

TEST_CASE("a program that was replaced, one that was removed, and one that may not be looked at") {
  const test::Folder folder;
  const std::string other = folder.path / "grayd";
  std::ofstream(other) << "another file";
  Facts facts;
  facts.pid = ::getpid();
  look_at_host(facts, other, nullptr);
  CHECK(facts.program.value().replaced);
  look_at_host(facts, other + "-gone (deleted)", nullptr);
  CHECK(facts.program.value().gone);
  CHECK(facts.program.value().path == other + "-gone");
  Facts hidden;
  look_at_host(hidden, "", nullptr);
  CHECK_FALSE(hidden.program);
  CHECK(hidden.unseen.at("program").find("another user") != std::string::npos);
  CHECK(hidden.stores.empty());
}

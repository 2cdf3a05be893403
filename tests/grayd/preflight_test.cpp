#include "grayd/preflight.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>
#include <map>

#include "tests/control/traffic/settings_support.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

FileKind lookup(const std::string& path) {
  static const std::map<std::string, FileKind> files = {
      {"/srv", FileKind::folder},      {"/usr/bin/node", FileKind::executable},
      {"/srv/bin", FileKind::folder},  {"/srv/run.sh", FileKind::executable},
      {"/srv/plain", FileKind::other}, {"/srv/bin/tool", FileKind::executable},
      {"/bin/plain", FileKind::other},
  };
  const auto found = files.find(path);
  return found == files.end() ? FileKind::missing : found->second;
}

UserKind users(const std::string& name) {
  return name == "me" ? UserKind::own : name == "www" ? UserKind::other : UserKind::missing;
}

Machine machine(const std::string& path = "/usr/bin:/bin", bool may_change_user = true) {
  return {path, lookup, users, may_change_user};
}

std::vector<std::string> faults(const std::string& program, std::map<std::string, std::string> env = {},
                                const std::string& cwd = "/srv") {
  ServiceSettings service;
  service.name = "web";
  auto version = test::version_named("v1");
  version.command = {program};
  version.env = std::move(env);
  version.cwd = cwd;
  service.versions = {version};
  std::vector<std::string> lines;
  for (const auto& fault : preflight(test::settings_of(service), machine())) lines.push_back(fault.text);
  return lines;
}

}  // namespace

TEST_CASE("a version that can be started has no faults") {
  for (const auto* program : {"node", "/usr/bin/node", "/srv/run.sh", "bin/tool"}) {
    CAPTURE(program);
    CHECK(faults(program).empty());
  }
  CHECK(faults("tool", {{"PATH", "bin"}}).empty());
  CHECK(faults("run.sh", {{"PATH", ":/nowhere"}}).empty());
}

TEST_CASE("a command that cannot be started is named with the remedy") {
  using Lines = std::vector<std::string>;
  CHECK(faults("nodee") == Lines{"web@v1: command \"nodee\" is not found in PATH (/usr/bin:/bin); "
                                 "install it or give its full path"});
  CHECK(faults("node", {{"PATH", "/bin"}}).size() == 1);
  CHECK(faults("plain").size() == 1);
  CHECK(faults("./missing") == Lines{"web@v1: command /srv/missing does not exist"});
  CHECK(faults("bin/") == Lines{"web@v1: command /srv/bin/ does not exist"});
  CHECK(faults("/srv/bin") == Lines{"web@v1: command /srv/bin is a folder, not a program"});
  CHECK(faults("/srv/plain") ==
        Lines{"web@v1: command /srv/plain is not executable; chmod +x it, or name its interpreter first"});
  CHECK(faults("node", {}, "/gone") == Lines{"web@v1: cwd /gone is not a folder; create it or correct `cwd`"});
}

TEST_CASE("a user that workers cannot run as is named with the remedy, at its place") {
  const auto fault = [](const std::string& user, bool may_change_user) {
    ServiceSettings service;
    service.name = "web";
    auto version = test::version_named("v1");
    version.command = {"node"};
    version.user = user;
    version.user_at = {7, 9};
    service.versions = {version};
    return preflight(test::settings_of(service), machine("/usr/bin", may_change_user));
  };
  CHECK(fault("", false).empty());
  CHECK(fault("me", false).empty());
  CHECK(fault("www", true).empty());
  REQUIRE(fault("gone", true).size() == 1);
  CHECK(fault("gone", true)[0].text == "web@v1: there is no user \"gone\" on this host; create it or correct `user`");
  CHECK(fault("gone", true)[0].at.line == 7);
  REQUIRE(fault("www", false).size() == 1);
  CHECK(fault("www", false)[0].text ==
        "web@v1: to run as \"www\", grayd must be root; start it as root, or leave `user` out");
}

TEST_CASE("a user that the router cannot run as keeps grayd from starting") {
  const auto fault = [](const std::string& user, bool may_change_user, const UserLookup& lookup_user) {
    ServiceSettings service;
    service.name = "web";
    auto settings = test::settings_of(service);
    settings.router.user = user;
    settings.router.user_at = {5, 8};
    return preflight(settings, {"/usr/bin", lookup, lookup_user, may_change_user});
  };
  const auto nobody_here = [](const std::string&) { return UserKind::missing; };
  CHECK(fault("", true, users).empty());
  CHECK(fault("www", true, users).empty());
  CHECK(fault("", false, nobody_here).empty());
  CHECK(fault("me", false, users).empty());
  REQUIRE(fault("gone", true, users).size() == 1);
  CHECK(fault("gone", true, users)[0].text ==
        "router: there is no user \"gone\" on this host; create it or correct `user`");
  CHECK(fault("gone", true, users)[0].at.line == 5);
  CHECK(is_fatal(fault("gone", true, users)));
  REQUIRE(fault("www", false, users).size() == 1);
  CHECK(fault("www", false, users)[0].text ==
        "router: to run as \"www\", grayd must be root; start it as root, or leave `user` out");
  CHECK(fault("", true, nobody_here).empty());
}

TEST_CASE("faults are printed with their place in the configuration file") {
  CHECK(rendered({{"a", {}, false}, {"b", {}, true}}, "/x.toml") == "/x.toml: error: a\n/x.toml: error: b\n");
  const test::Folder folder;
  const auto file = (folder.path / "g.toml").string();
  std::ofstream(file) << "one = 1\nuser = 'gone'\n";
  CHECK(rendered({{"no such user", {2, 8}, true}}, file) ==
        file + ":2:8: error: no such user\n  user = 'gone'\n         ^\n");
}

TEST_CASE("look_at() distinguishes the kinds of files") {
  CHECK(look_at("/") == FileKind::folder);
  CHECK(look_at("/bin/sh") == FileKind::executable);
  CHECK(look_at("/etc/passwd") == FileKind::other);
  CHECK(look_at("/no/such/file") == FileKind::missing);
  CHECK(look_for_user("no-such-user-here") == UserKind::missing);
  CHECK(look_for_user("root") == (::geteuid() == 0 ? UserKind::own : UserKind::other));
}

TEST_CASE("of the deployed versions only a stable one can keep grayd from starting") {
  ServiceSettings service;
  service.name = "web";
  service.stable = "v1";
  service.versions = {test::version_named("v1")};
  service.versions[0].command = {"sh"};
  service.versions[0].cwd = "/";
  control::State state;
  state["web"].deployed["43"].settings = test::version_named("43");
  state["web"].deployed["43"].settings.cwd = "/no/such/folder";
  CHECK(preflight_of_start(test::settings_of(service), state).empty());
  state["web"].stable = "43";
  const auto faults = preflight_of_start(test::settings_of(service), state);
  REQUIRE(faults.size() == 1);
  CHECK(is_fatal(faults));
  CHECK(faults[0].text.starts_with("web@43: cwd /no/such/folder is not a folder"));
  service.versions[0].cwd = "/no/such/folder";
  state["web"].deployed["43"].settings.command = {"sh"};
  state["web"].deployed["43"].settings.cwd = "/";
  CHECK_FALSE(is_fatal(preflight_of_start(test::settings_of(service), state)));
}

TEST_CASE("a stable version that does not exist keeps grayd from starting") {
  ServiceSettings service;
  service.name = "web";
  service.stable = "43";
  const auto faults = preflight_of_start(test::settings_of(service), {});
  REQUIRE(faults.size() == 1);
  CHECK(is_fatal(faults));
  CHECK(faults[0].text.starts_with("service web has no stable version"));
}

TEST_CASE("only a stable version that cannot be started keeps grayd from starting") {
  ServiceSettings service;
  service.name = "web";
  service.stable = "v1";
  service.versions = {test::version_named("v1"), test::version_named("v2")};
  service.versions[0].command = {"node"};
  service.versions[1].command = {"nodee"};
  for (auto& version : service.versions) version.cwd = "/srv";
  const auto canary = preflight(test::settings_of(service), machine("/usr/bin"));
  REQUIRE(canary.size() == 1);
  CHECK_FALSE(is_fatal(canary));
  service.stable = "v2";
  CHECK(is_fatal(preflight(test::settings_of(service), machine("/usr/bin"))));
  CHECK_FALSE(is_fatal({}));
}

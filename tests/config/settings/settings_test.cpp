#include "config/settings/settings.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("services and versions are found by name") {
  Settings settings;
  settings.services.resize(2);
  settings.services[1].name = "web";
  settings.services[1].versions.resize(1);
  settings.services[1].versions[0].name = "v1";
  CHECK(settings.service("web") == &settings.services[1]);
  CHECK(settings.service("nope") == nullptr);
  CHECK(settings.services[1].version("v1") == &settings.services[1].versions[0]);
  CHECK(settings.services[1].version("v2") == nullptr);
}

TEST_CASE("a process must be replaced for settings that apply at its start, and for no others") {
  const auto same = [](void (*edit)(VersionSettings&)) {
    VersionSettings changed;
    edit(changed);
    return same_process({}, changed);
  };
  CHECK_FALSE(same([](VersionSettings& v) { v.command = {"x"}; }));
  CHECK_FALSE(same([](VersionSettings& v) { v.ready.ways = {ReadyWay::tcp}; }));
  CHECK(same([](VersionSettings& v) { v.instances = 3; }));
  CHECK(same([](VersionSettings& v) { v.health.path = "/x"; }));
  CHECK(same([](VersionSettings& v) { v.ready.timeout = Duration{1}; }));
}

TEST_CASE("an identity source reads and prints in the same form") {
  for (const char* text : {"cookie:uid", "header:x-user-id", "client-ip", "issue:gray"}) {
    const auto source = IdentitySource::parse(text);
    REQUIRE_MESSAGE(source, text);
    CHECK(source->text() == text);
  }
  for (const char* text : {"", "cookie:", "cookie", "header:a b", "query:x", "client-ip:1"})
    CHECK_MESSAGE(!IdentitySource::parse(text), text);
}

TEST_CASE("expose has three names") {
  for (const char* name : {"none", "version", "decision"})
    CHECK(name_of(expose_from(name).value()) == std::string(name));
  CHECK(!expose_from("all"));
}

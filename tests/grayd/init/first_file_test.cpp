#include "grayd/init/first_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "config/settings/settings_toml.hpp"

using namespace gray;
using namespace gray::init;

namespace {

Plan plan() {
  Plan plan;
  plan.kind = "Procfile";
  plan.from = "Procfile";
  plan.command = {"sh", "-c", "exec a \"$PORT\" 'b' \\ \t\x01 \xC3\xA9"};
  plan.env = {{"A", "1\n\"2\""}};
  plan.stop_signal = "INT";
  return plan;
}

}  // namespace

TEST_CASE("a name of a service is made valid") {
  CHECK(service_name("shop") == "shop");
  CHECK(service_name("@acme/web app") == "web-app");
  CHECK(service_name("shop.example.com") == "shop-example-com");
  CHECK(service_name("...") == "web");
  CHECK(service_name("") == "web");
  CHECK(service_name("\xC3\xA9t\xC3\xA9") == "t");
  CHECK(service_name(std::string(100, 'a')).size() == 64);
}

TEST_CASE("a TOML string is literal where that is shorter to read") {
  CHECK(toml_text("node") == "\"node\"");
  CHECK(toml_text("exec a \"$PORT\"") == "'exec a \"$PORT\"'");
  CHECK(toml_text("it's \"x\"") == R"("it's \"x\"")");
  CHECK(toml_text("a\nb") == R"("a\u000Ab")");
}

TEST_CASE("the file is valid, has the plan and is short") {
  const std::string text = first_file(plan(), "shop", 8003);
  const auto loaded = parse_settings(text, "/srv/shop/grayd.toml", Beside::leave);
  const auto* errors = std::get_if<ConfigErrors>(&loaded);
  REQUIRE_MESSAGE(errors == nullptr, (errors ? errors->text : ""));
  const auto& settings = std::get<Settings>(loaded);
  REQUIRE(settings.services.size() == 1);
  const auto& service = settings.services.front();
  CHECK(service.name == "shop");
  CHECK(service.stable == "v1");
  CHECK(service.versions.front().command == plan().command);
  CHECK(service.versions.front().env == plan().env);
  CHECK(settings.listen.front().text() == "127.0.0.1:8003");
  CHECK(std::ranges::count(text, '\n') <= 20);
}

TEST_CASE("a comment stays one line") {
  Plan bad = plan();
  bad.from = "a\n[evil]\nb";
  const auto loaded = parse_settings(first_file(bad, "shop", 8000), "/srv/shop/grayd.toml", Beside::leave);
  CHECK(std::holds_alternative<Settings>(loaded));
}

TEST_CASE("the file of a trial has everything in its own folder") {
  const auto loaded =
      parse_settings(trial_file(plan(), "shop", {"/srv/shop", "/tmp/x"}), "/tmp/x/grayd.toml", Beside::leave);
  REQUIRE(std::holds_alternative<Settings>(loaded));
  const auto& settings = std::get<Settings>(loaded);
  CHECK(settings.state_dir == "/tmp/x/state");
  CHECK(settings.listen.front().text() == "unix:/tmp/x/users.sock");
  CHECK(settings.services.front().versions.front().cwd == "/srv/shop");
  CHECK(settings.services.front().versions.front().command == plan().command);
}

TEST_CASE("the least file is valid") {
  CHECK(std::holds_alternative<Settings>(parse_settings(least_file("web"), "/srv/grayd.toml", Beside::leave)));
}

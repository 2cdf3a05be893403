#include "grayd/process/admin_question.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "tests/support/temp_folder.hpp"

using namespace gray;
using nlohmann::json;

namespace {

/// Answers at a unix socket as an admin API does.
struct Answering {
  test::Folder folder;
  std::string socket = folder.path / "s";
  httplib::Server server;
  std::thread thread;

  Answering() {
    server.set_address_family(AF_UNIX);
    server.Get("/v1/status",
               [](const auto&, auto& response) { response.set_content("{\"pid\":7}", "application/json"); });
    server.Get("/v1/broken", [](const auto&, auto& response) { response.set_content("{", "application/json"); });
    server.Post("/v1/shift", [](const auto& request, auto& response) {
      response.status = json::parse(request.body).at("percent") == 5 ? 200 : 409;
    });
    REQUIRE(server.bind_to_port(socket, 80));
    thread = std::thread([this] { server.listen_after_bind(); });
  }
  ~Answering() {
    while (!server.is_running()) std::this_thread::yield();
    server.stop();
    thread.join();
  }
};

}  // namespace

TEST_CASE("an answer is JSON; anything else is null") {
  const Answering admin;
  CHECK(master::asked_admin(admin.socket, "/v1/status", Duration{5'000}) == json{{"pid", 7}});
  CHECK(master::asked_admin(admin.socket, "/v1/none", Duration{5'000}).is_null());
  CHECK_FALSE(master::asked_admin(admin.socket, "/v1/broken", Duration{5'000}).is_object());
  CHECK(master::asked_admin(admin.socket + "x", "/v1/status", Duration{5'000}).is_null());
}

TEST_CASE("an order was carried out or not") {
  const Answering admin;
  CHECK(master::told_admin(admin.socket, "/v1/shift", {{"percent", 5}}, Duration{5'000}));
  CHECK_FALSE(master::told_admin(admin.socket, "/v1/shift", {{"percent", 6}}, Duration{5'000}));
  CHECK_FALSE(master::told_admin(admin.socket + "x", "/v1/shift", {{"percent", 5}}, Duration{5'000}));
}

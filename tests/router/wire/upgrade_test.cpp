#include "router/wire/upgrade.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace gray::http;

namespace {

std::string offered(const std::string& fields, const char* version = "1.1") {
  static const auto head = std::make_unique<RequestHead>();
  Fault fault;
  const std::string text = "GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + fields + "\r\n";
  REQUIRE_MESSAGE(parse_request(text, {}, *head, fault) == Parse::complete, text);
  return std::string(offered_protocols(*head));
}

std::string taken(const std::string& fields, const std::string& offer) {
  static const auto head = std::make_unique<ResponseHead>();
  Fault fault;
  const std::string text = "HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\n";
  REQUIRE(parse_response(text, {}, Method::get, *head, fault) == Parse::complete);
  return std::string(taken_protocol(*head, offer));
}

}  // namespace

TEST_CASE("the client's offer is passed on as it wrote it (P24)") {
  CHECK(offered("Connection: Upgrade\r\nUpgrade: websocket\r\n") == "websocket");
  CHECK(offered("Connection: keep-alive, uPGRADE\r\nUpgrade: chat/1, IRC/6.9\r\n") == "chat/1, IRC/6.9");
  CHECK(offered("Upgrade: WebSocket\r\nConnection: close\r\nConnection: upgrade\r\n") == "WebSocket");
}

TEST_CASE("an incomplete upgrade request is not an upgrade (P24)") {
  CHECK(offered("").empty());
  CHECK(offered("Upgrade: websocket\r\n").empty());
  CHECK(offered("Connection: upgrade\r\n").empty());
  CHECK(offered("Connection: upgrade\r\nUpgrade:\r\n").empty());
  CHECK(offered("Connection: upgrade-insecure\r\nUpgrade: websocket\r\n").empty());
  CHECK(offered("Connection: Upgrade\r\nUpgrade: websocket\r\n", "1.0").empty());
}

TEST_CASE("no other version of HTTP is ever offered, alone or among others (P24)") {
  for (const char* protocol : {"h2c", "H2C", "h2", "h3", "HTTP/2.0", "http", "TLS/1.0", "tls"}) {
    const std::string name = protocol;
    CHECK_MESSAGE(offered("Connection: Upgrade\r\nUpgrade: " + name + "\r\n").empty(), name);
    CHECK_MESSAGE(offered("Connection: Upgrade\r\nUpgrade: websocket, " + name + "\r\n").empty(), name);
    CHECK_MESSAGE(offered("Connection: Upgrade\r\nUpgrade: " + name + " ,websocket\r\n").empty(), name);
  }
  CHECK(offered("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket\r\nHTTP2-Settings: AAMA\r\n").empty());
  CHECK(offered("Connection: Upgrade\r\nUpgrade: h2c-chat\r\n") == "h2c-chat");
}

TEST_CASE("a malformed list of protocols, or one in two fields, is not offered (P24)") {
  for (const char* list : {"web socket", "websocket,", ",websocket", "websocket,,chat", "/1", "chat/", "a/b/c",
                           "websocket;q=1", "\"websocket\""}) {
    CHECK_MESSAGE(offered("Connection: Upgrade\r\nUpgrade: " + std::string(list) + "\r\n").empty(), list);
  }
  CHECK(offered("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n").empty());
  CHECK(offered("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n").empty());
}

TEST_CASE("a 101 may switch to nothing but what was offered (P24)") {
  CHECK(taken("Connection: Upgrade\r\nUpgrade: WebSocket\r\n", "websocket") == "WebSocket");
  CHECK(taken("Upgrade: irc/6.9\r\n", "chat/1, IRC/6.9") == "irc/6.9");
  CHECK(taken("Upgrade: chat/1, IRC/6.9\r\n", "chat/1, IRC/6.9") == "chat/1, IRC/6.9");
  CHECK(taken("Upgrade: chat\r\n", "websocket").empty());
  CHECK(taken("Upgrade: websocket, h2c\r\n", "websocket").empty());
  CHECK(taken("Upgrade: websocket/13\r\n", "websocket").empty());
  CHECK(taken("Upgrade: websocket\r\nUpgrade: websocket\r\n", "websocket").empty());
  CHECK(taken("Upgrade:\r\n", "websocket").empty());
  CHECK(taken("", "websocket").empty());
  CHECK(taken("Upgrade: websocket\r\n", "").empty());
}

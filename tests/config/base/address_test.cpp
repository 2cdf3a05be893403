#include "config/base/address.hpp"

#include <doctest/doctest.h>
#include <sys/un.h>

using namespace gray;

TEST_CASE("an address reads and prints in the same form") {
  for (const char* text : {"127.0.0.1:8000", "0.0.0.0:0", "[::1]:65535", "[fe80::1:2]:80", "unix:/run/x.sock"}) {
    const auto address = Address::parse(text);
    REQUIRE_MESSAGE(address, text);
    CHECK(address->text() == text);
  }
}

TEST_CASE("text that is not an address is refused") {
  const std::string long_path(108, 'a');
  for (const std::string& text :
       {std::string(""), std::string("8000"), std::string("localhost:80"), std::string("1.2.3:80"),
        std::string("1.2.3.4:65536"), std::string("1.2.3.4:"), std::string("1.2.3.4:+1"), std::string("::1:80"),
        std::string("[1.2.3.4]:80"), std::string("[::1]"), std::string("[::1]:8x"), std::string("unix:"),
        "unix:" + long_path, std::string("unix:a\0b", 8), std::string("1.2.3.4\0:80", 11)})
    CHECK_MESSAGE(!Address::parse(text), text);
}

TEST_CASE("an address survives conversion to the kernel's structure and back") {
  for (const char* text : {"10.1.2.3:443", "[2001:db8::7]:8080", "unix:run/x.sock"}) {
    const Address address = Address::parse(text).value();
    sockaddr_storage storage;
    const socklen_t length = address.to(storage);
    CHECK(storage.ss_family == address.family());
    CHECK(Address::from(storage, length) == address);
  }
}

TEST_CASE("a peer without a name has an empty unix path") {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  const auto peer = Address::from(storage, sizeof(sa_family_t));
  REQUIRE(peer);
  CHECK(peer->path.empty());
  CHECK(peer->ip_text().empty());
}

TEST_CASE("an unsupported family, or a truncated structure, is not an address") {
  sockaddr_storage storage{};
  storage.ss_family = AF_PACKET;
  CHECK(!Address::from(storage, sizeof(storage)));
  storage.ss_family = AF_INET;
  CHECK(!Address::from(storage, 4));
}

TEST_CASE("a bare IP has no port and no brackets") {
  CHECK(parse_ip("192.0.2.1")->ip_text() == "192.0.2.1");
  CHECK(parse_ip("2001:DB8::1")->ip_text() == "2001:db8::1");
  CHECK(!parse_ip("192.0.2.1:80"));
  CHECK(!parse_ip("[::1]"));
  CHECK(!parse_ip("unknown"));
}

TEST_CASE("nearby peers are those of the host, of private networks and of the link") {
  for (const char* near :
       {"127.0.0.1:1", "127.8.9.1:1", "10.0.0.1:1", "172.16.0.1:1", "172.31.255.1:1", "192.168.3.4:1", "169.254.1.1:1",
        "[::1]:1", "[fd00::1]:1", "[fc00::1]:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1", "unix:/run/a"})
    CHECK_MESSAGE(is_nearby(*Address::parse(near)), near);
  for (const char* far : {"8.8.8.8:1", "172.15.0.1:1", "172.32.0.1:1", "192.169.0.1:1", "11.0.0.1:1", "0.0.0.0:1",
                          "[2001:db8::1]:1", "[fec0::1]:1", "[::2]:1", "[::ffff:8.8.8.8]:1"})
    CHECK_MESSAGE(!is_nearby(*Address::parse(far)), far);
}

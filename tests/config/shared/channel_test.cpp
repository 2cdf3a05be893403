#include "config/shared/channel.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cstring>
#include <filesystem>
#include <system_error>

using namespace gray;
using Type = ChannelMessage::Type;

namespace {

struct Pair {
  UniqueFd left, right;
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    left.reset(ends[0]);
    right.reset(ends[1]);
  }
};

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

ChannelMessage of(Type type) {
  ChannelMessage message;
  message.type = type;
  return message;
}

/// Sends raw bytes with `count` descriptors, as a broken peer would.
void send_raw(int channel, std::string_view text, int count) {
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(20 * sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (count > 0) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(static_cast<std::size_t>(count) * sizeof(int));
    cmsghdr* block = CMSG_FIRSTHDR(&header);
    block->cmsg_level = SOL_SOCKET;
    block->cmsg_type = SCM_RIGHTS;
    block->cmsg_len = CMSG_LEN(static_cast<std::size_t>(count) * sizeof(int));
    for (int i = 0; i < count; ++i)
      std::memcpy(CMSG_DATA(block) + i * static_cast<int>(sizeof(int)), &channel, sizeof(int));
  }
  REQUIRE(::sendmsg(channel, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("every type of message arrives with its fields") {
  ChannelMessage hello = of(Type::hello);
  hello.layout = 1;
  hello.router_slot = 3;
  hello.router.threads = 2;
  hello.router.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  hello.router.max_connections = 5;
  hello.memory_budget = 1ull << 40;
  hello.warm_up = true;
  ChannelMessage probe = of(Type::probe);
  for (const std::uint64_t id : {9u, 10u})
    probe.orders.push_back(
        {id, 12, *Address::parse("[::1]:80"), 7, {"/healthz", "a.example", {{"x-a", "b"}}}, Duration{1'500}});
  ChannelMessage probed = of(Type::probed);
  probed.outcomes = {{9, true, "status 200", {}}, {10, false, "refused", PeerOwner{7, 8}}};
  ChannelMessage unreached = of(Type::unreached);
  unreached.detail = "web@v1#0: status 500";

  Pair pair;
  std::string error;
  for (const ChannelMessage* sent : {&hello, &probe, &probed, &unreached}) {
    REQUIRE(send_message(pair.left.get(), *sent) == ChannelResult::ok);
    ChannelMessage got;
    REQUIRE_MESSAGE(receive_message(pair.right.get(), got, error) == ChannelResult::ok, error);
    CHECK(to_json_text(got) == to_json_text(*sent));
    CHECK(got.router == sent->router);
    REQUIRE(got.orders.size() == sent->orders.size());
    CHECK((got.orders.empty() || got.orders.back().address == sent->orders.back().address));
    CHECK((got.orders.empty() || got.orders.back().http == sent->orders.back().http));
    REQUIRE(got.outcomes.size() == sent->outcomes.size());
    CHECK((got.outcomes.empty() || got.outcomes.back().peer == sent->outcomes.back().peer));
  }
  for (const Type type : {Type::listen, Type::drain, Type::applied, Type::ready, Type::drained}) {
    REQUIRE(send_message(pair.left.get(), of(type)) == ChannelResult::ok);
    ChannelMessage got;
    REQUIRE(receive_message(pair.right.get(), got, error) == ChannelResult::ok);
    CHECK(got.type == type);
  }
}

TEST_CASE("a table is sent in a sealed memfd that cannot be changed") {
  Pair pair;
  ChannelMessage table = of(Type::table);
  table.number = 4;
  table.fd = sealed_memfd("table", "the table");
  REQUIRE(send_message(pair.left.get(), table) == ChannelResult::ok);
  ChannelMessage got;
  std::string error;
  REQUIRE(receive_message(pair.right.get(), got, error) == ChannelResult::ok);
  CHECK(got.number == 4);
  CHECK((::fcntl(got.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(read_memfd(got.fd.get(), 9) == "the table");
  CHECK(!read_memfd(got.fd.get(), 8));
  CHECK(::write(got.fd.get(), "x", 1) < 0);
  CHECK(::ftruncate(got.fd.get(), 1) < 0);
}

TEST_CASE("a table is sent with its allowlists") {
  Pair pair;
  std::string error;
  const auto before = open_descriptors();
  for (const std::uint32_t count : {0u, 1u, static_cast<unsigned>(kMaxAllowlists)}) {
    ChannelMessage table = of(Type::table), got;
    table.fd = sealed_memfd("table", "the table");
    table.list_count = count;
    for (std::uint32_t i = 0; i < count; ++i) table.lists.push_back(sealed_memfd("list", std::to_string(i)));
    REQUIRE(send_message(pair.left.get(), table) == ChannelResult::ok);
    REQUIRE(receive_message(pair.right.get(), got, error) == ChannelResult::ok);
    CHECK(read_memfd(got.fd.get(), 9) == "the table");
    REQUIRE(got.lists.size() == count);
    for (std::uint32_t i = 0; i < count; ++i) CHECK(read_memfd(got.lists[i].get(), 9) == std::to_string(i));
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a table with more or fewer allowlists than it says is invalid") {
  Pair pair;
  ChannelMessage got, table = of(Type::table);
  std::string error;
  table.list_count = 2;
  for (const int count : {1, 2, 4}) {
    send_raw(pair.left.get(), to_json_text(table), count);
    CHECK(receive_message(pair.right.get(), got, error) == ChannelResult::invalid);
  }
  send_raw(pair.left.get(), to_json_text(table), 3);
  CHECK(receive_message(pair.right.get(), got, error) == ChannelResult::ok);
  table.list_count = kMaxAllowlists + 1;
  send_raw(pair.left.get(), to_json_text(table), 3);
  CHECK(receive_message(pair.right.get(), got, error) == ChannelResult::invalid);
}

TEST_CASE("a memfd that could still change, or a descriptor that is not a memfd, is not read") {
  UniqueFd open_memfd(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK(!read_memfd(open_memfd.get(), 100));
  CHECK(!read_memfd(-1, 100));
  CHECK(read_memfd(sealed_memfd("empty", "").get(), 0) == "");
  const std::string long_name(300, 'n');
  CHECK_THROWS_AS(sealed_memfd(long_name.c_str(), ""), std::system_error);
}

TEST_CASE("an empty queue, a full queue and a dead peer give different results") {
  Pair pair;
  ChannelMessage got;
  std::string error;
  CHECK(receive_message(pair.right.get(), got, error) == ChannelResult::again);
  ChannelResult result = ChannelResult::ok;
  for (int i = 0; i < 100'000 && result == ChannelResult::ok; ++i)
    result = send_message(pair.left.get(), of(Type::ready));
  CHECK(result == ChannelResult::again);
  pair.left.reset();
  while ((result = receive_message(pair.right.get(), got, error)) == ChannelResult::ok) continue;
  CHECK(result == ChannelResult::closed);
  CHECK(send_message(pair.right.get(), of(Type::ready)) == ChannelResult::closed);
  CHECK(send_message(-1, of(Type::ready)) == ChannelResult::invalid);
  CHECK(receive_message(-1, got, error) == ChannelResult::invalid);
}

TEST_CASE("a message above the packet size is sent in a memfd, whatever its type") {
  Pair pair;
  ChannelMessage hello = of(Type::hello), unreached = of(Type::unreached), got;
  for (int i = 0; i < 10'000; ++i)
    hello.router.trusted_proxies.push_back(
        *Cidr::parse("10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24"));
  unreached.detail.assign(kChannelPacket, 'x');
  REQUIRE(to_json_text(hello).size() > kChannelPacket);
  const auto before = open_descriptors();
  std::string error;
  REQUIRE(send_message(pair.left.get(), hello) == ChannelResult::ok);
  REQUIRE(send_message(pair.left.get(), unreached) == ChannelResult::ok);
  REQUIRE(receive_message(pair.right.get(), got, error) == ChannelResult::ok);
  CHECK(got.router == hello.router);
  CHECK_FALSE(got.fd);
  REQUIRE(receive_message(pair.right.get(), got, error) == ChannelResult::ok);
  CHECK(got.detail == unreached.detail);
  CHECK(open_descriptors() == before);
}

TEST_CASE("a message above its bound is not sent") {
  Pair pair;
  ChannelMessage unreached = of(Type::unreached);
  unreached.detail.assign(kChannelMessage, 'x');
  CHECK(send_message(pair.left.get(), unreached) == ChannelResult::invalid);
}

TEST_CASE("a packet that names a memfd which cannot be read is invalid") {
  Pair pair;
  ChannelMessage got;
  std::string error;
  for (const int count : {0, 1, 2}) {  // the descriptor is a socket
    send_raw(pair.left.get(), "memfd", count);
    CHECK(receive_message(pair.right.get(), got, error) == ChannelResult::invalid);
    CHECK_FALSE(error.empty());
  }
}

TEST_CASE("a broken message leaks no descriptor and gives an invalid result") {
  Pair pair;
  ChannelMessage got;
  std::string error;
  const auto before = open_descriptors();
  const std::string table = to_json_text(of(Type::table));
  const std::string ready = to_json_text(of(Type::ready));
  const std::string huge(kChannelPacket + 1, 'x');
  const std::pair<std::string_view, int> packets[] = {{table, 0}, {table, 2}, {table, 20},
                                                      {ready, 1}, {huge, 1},  {"{", 1}};
  for (const auto& [text, count] : packets) {
    send_raw(pair.left.get(), text, count);
    CHECK(receive_message(pair.right.get(), got, error) == ChannelResult::invalid);
    CHECK(!error.empty());
    CHECK(open_descriptors() == before);
  }
}

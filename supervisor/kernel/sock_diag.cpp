// One query uses one netlink socket: a request, and messages until the kernel reports the end. The kernel works within
// our calls: the request makes it write the first part of its answer, and reading a part makes it write the next. So
// the socket need not block: a missing part will never arrive, and the caller is not delayed.
#include "supervisor/kernel/sock_diag.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace gray::supervisor {
namespace {

constexpr std::uint32_t kListening = 1u << TCP_LISTEN;  // unix sockets have the states of TCP
constexpr std::size_t kRequestBytes = 256;
// The kernel adapts its parts to the buffer and writes none above 32 KiB.
constexpr std::size_t kPartBytes = 32 * 1024;
constexpr int kMostParts = 1024;
constexpr unsigned kSequence = 1;  // one request per socket

struct Close {
  void operator()(mnl_socket* socket) const { ::mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, Close>;

using Inodes = std::vector<std::uint64_t>;
using Listeners = std::vector<ListeningSocket>;

struct TcpSearch {
  std::uint16_t port;
  Listeners found;
};

struct UnixSearch {
  std::string_view path;
  Listeners found;
};

std::optional<Inodes> inodes_of(const std::optional<Listeners>& listeners) {
  if (!listeners) return std::nullopt;
  Inodes inodes;
  for (const ListeningSocket& one : *listeners) inodes.push_back(one.inode);
  return inodes;
}

int take_tcp(const nlmsghdr* message, void* search) {
  auto& tcp = *static_cast<TcpSearch*>(search);
  if (::mnl_nlmsg_get_payload_len(message) < sizeof(inet_diag_msg)) return MNL_CB_OK;
  const auto& found = *static_cast<const inet_diag_msg*>(::mnl_nlmsg_get_payload(message));
  if (ntohs(found.id.idiag_sport) != tcp.port || found.idiag_inode == 0) return MNL_CB_OK;
  const auto* ip = found.id.idiag_src;
  const bool everywhere = std::all_of(ip, ip + std::size(found.id.idiag_src), [](auto part) { return part == 0; });
  tcp.found.push_back({found.idiag_inode, found.idiag_wqueue, everywhere});
  return MNL_CB_OK;
}

/// The path is followed by a zero byte; an abstract name begins with one and is equal to no path.
std::string_view path_in(const nlattr* name) {
  const std::string_view path(static_cast<const char*>(::mnl_attr_get_payload(name)), ::mnl_attr_get_payload_len(name));
  return path.ends_with('\0') ? path.substr(0, path.size() - 1) : path;
}

struct UnixAttributes {
  const nlattr* name = nullptr;
  const nlattr* queues = nullptr;
};

int keep_attribute(const nlattr* attribute, void* kept) {
  auto& attributes = *static_cast<UnixAttributes*>(kept);
  if (::mnl_attr_get_type(attribute) == UNIX_DIAG_NAME) attributes.name = attribute;
  if (::mnl_attr_get_type(attribute) == UNIX_DIAG_RQLEN) attributes.queues = attribute;
  return MNL_CB_OK;
}

/// Of a listening socket the length of the send queue is its backlog.
std::uint32_t backlog_in(const nlattr* queues) {
  unix_diag_rqlen lengths{};
  if (queues == nullptr || ::mnl_attr_get_payload_len(queues) < sizeof lengths) return 0;
  std::memcpy(&lengths, ::mnl_attr_get_payload(queues), sizeof lengths);
  return lengths.udiag_wqueue;
}

int take_unix(const nlmsghdr* message, void* search) {
  auto& sought = *static_cast<UnixSearch*>(search);
  if (::mnl_nlmsg_get_payload_len(message) < sizeof(unix_diag_msg)) return MNL_CB_OK;
  const auto& found = *static_cast<const unix_diag_msg*>(::mnl_nlmsg_get_payload(message));
  UnixAttributes attributes;
  ::mnl_attr_parse(message, sizeof found, keep_attribute, &attributes);
  if (attributes.name != nullptr && path_in(attributes.name) == sought.path)
    sought.found.push_back({found.udiag_ino, backlog_in(attributes.queues), false});
  return MNL_CB_OK;
}

/// Hands each message of the answer to `take`; false, with errno, unless the answer is complete.
template <class Request>
bool ask(const Request& request, mnl_cb_t take, void* search) {
  const Socket socket(::mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || ::mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0) return false;
  alignas(nlmsghdr) std::array<char, kRequestBytes> question;
  nlmsghdr* message = ::mnl_nlmsg_put_header(question.data());
  message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = kSequence;
  *static_cast<Request*>(::mnl_nlmsg_put_extra_header(message, sizeof request)) = request;
  if (::mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0) return false;

  alignas(nlmsghdr) std::array<char, kPartBytes> part;
  const unsigned self = ::mnl_socket_get_portid(socket.get());
  for (int parts = 0; parts < kMostParts; ++parts) {
    const ssize_t got = ::mnl_socket_recvfrom(socket.get(), part.data(), part.size());
    if (got < 0) return false;
    const int going = ::mnl_cb_run(part.data(), static_cast<std::size_t>(got), kSequence, self, take, search);
    if (going != MNL_CB_OK) return going == MNL_CB_STOP;
  }
  errno = EMSGSIZE;
  return false;
}

}  // namespace

std::optional<Listeners> tcp_listeners(sa_family_t family, std::uint16_t port) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<std::uint8_t>(family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kListening;
  request.id.idiag_sport = htons(port);  // 0 would match every port; take_tcp() checks, too
  TcpSearch search{port, {}};
  if (!ask(request, take_tcp, &search)) return std::nullopt;
  return std::move(search.found);
}

std::optional<Listeners> unix_listeners(std::string_view path) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = kListening;
  request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN;
  UnixSearch search{path, {}};
  if (!ask(request, take_unix, &search)) return std::nullopt;
  return std::move(search.found);
}

std::optional<Inodes> listening_tcp(sa_family_t family, std::uint16_t port) {
  return inodes_of(tcp_listeners(family, port));
}

std::optional<Inodes> listening_unix(std::string_view path) { return inodes_of(unix_listeners(path)); }

}  // namespace gray::supervisor

#pragma once
// The messages between master and router over a SOCK_SEQPACKET socketpair: one JSON object per packet, with at most one
// descriptor; only a table has more: those of its allowlists. Tables are sent in sealed memfds, and so is a message
// that is larger than a packet. Silence is normal; end of file means that the other side is dead.
//
//   master                                router
//     hello(protocol, router_slot, settings, warm_up) ->
//                                      <-  hello(protocol, layout, pid)       or it exits
//     table(number) + memfds           ->                                     the table, and each allowlist in it
//                                      <-  applied(number)                    once every thread routes by it
//                                      <-  unreached(detail)                  of a worker that it cannot reach
//                                      <-  ready                              after the first table; with `warm_up`
//                                                                             once it has reached every worker in it
//     secrets + memfd                  ->                                     certificates and ticket keys for TLS;
//                                                                             before the first table
//                                      <-  client_fault(detail)               of a client, once a minute for each one
//     listen                           ->                                     start accepting (repeatable)
//     probe(orders)                    ->                                     at most kMostProbes
//                                      <-  probed(outcomes)                   likewise, of one or several messages
//                                      <-  stranger(cell, generation, peer)   a process of a different user listens at
//                                                                             the address of a worker; it got no byte
//                                      <-  untrusted_proxy(detail)            a nearby peer sends fields of a proxy, is
//                                                                             not in trusted_proxies; once
//                                      <-  unused                             a thread has closed its last socket to
//                                                                             a worker that left the table
//     reopen + access-log fd           ->
//     drain(timeout_ms, ok)            ->                                     ok: idle clients are closed at once
//                                      <-  drained                            then the router exits 0
//     weigh(number)                    ->
//                                      <-  weighed(number, memory)            which part of it holds how much memory
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/peer_owner.hpp"
#include "config/base/unique_fd.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/memory_report.hpp"
#include "config/shared/probe.hpp"

namespace gray {

inline constexpr std::uint32_t kChannelProtocol = 17;
inline constexpr std::size_t kChannelPacket = 64 * 1024;  // bytes, the largest packet
inline constexpr std::size_t kChannelMessage = 16 << 20;  // bytes of the JSON of a message
inline constexpr std::size_t kMostProbes = 64;            // orders or outcomes in a message

struct ChannelMessage {
  enum class Type : std::uint8_t {
    hello,
    table,
    listen,
    probe,
    reopen,
    drain,
    applied,
    ready,
    unreached,
    probed,
    drained,
    unused,
    stranger,
    untrusted_proxy,
    weigh,
    weighed,
    secrets,
    client_fault
  };
  Type type = Type::hello;
  std::uint32_t protocol = kChannelProtocol;
  std::uint32_t layout = 0;       // hello from the router
  std::uint32_t router_slot = 0;  // hello from the master
  RouterSettings router;          // hello from the master
  std::uint64_t memory_budget = 0;
  bool warm_up = false;      // hello from the master: an old router still serves, so this one may take its time
  std::uint64_t number = 0;  // table, applied: its number; stranger: the generation; weigh, weighed: the number of the
                             // question
  std::vector<ProbeOrder> orders;      // probe
  std::vector<ProbeOutcome> outcomes;  // probed
  std::uint32_t cell = 0;              // stranger: the worker's cell
  Duration timeout{0};                 // drain
  bool ok = false;                     // drain: immediately, all of grayd ends
  std::string detail;                  // unreached: "web@v1#0: connect: ..."; client_fault: for people
  std::optional<PeerOwner> peer;       // stranger: the process behind the address
  MemoryReport memory;                 // weighed
  UniqueFd fd;                         // table, secrets: the memfd; reopen: the new log
  // table: the memfds of the allowlists, in the order of the services. Their number is sent, too, so that none is lost.
  std::uint32_t list_count = 0;  // at most kMaxAllowlists
  std::vector<UniqueFd> lists;

  /// The type and its fields; the descriptor is sent separately.
  template <class Io>
  void fields(Io& io);
  /// All members, for a hand-over.
  template <class Io>
  void archive(Io& io);
  /// One message of each type.
  static std::vector<ChannelMessage> variants();
};
constexpr ChannelMessage::Type last_value(ChannelMessage::Type) { return ChannelMessage::Type::client_fault; }
const char* name_of(ChannelMessage::Type type);

std::string to_json_text(const ChannelMessage& message);  // the descriptor is sent separately
std::optional<ChannelMessage> channel_message_from_json(std::string_view text, std::string& error);

/// One packet, never blocking. `again`: nothing to read, or the peer's queue is full.
enum class ChannelResult : std::uint8_t { ok, again, closed, invalid };
ChannelResult send_message(int channel, const ChannelMessage& message);
ChannelResult receive_message(int channel, ChannelMessage& message, std::string& error);

/// A memfd with `bytes`, sealed against every change. Throws std::system_error.
UniqueFd sealed_memfd(const char* name, std::string_view bytes);
/// All of a memfd; nothing if it is larger than `limit` bytes, unreadable, or not sealed against writing and shrinking.
std::optional<std::string> read_memfd(int fd, std::size_t limit);

}  // namespace gray

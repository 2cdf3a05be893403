#pragma once
// Counts and logs an exchange, once, when it has ended. One for each thread.
#include <array>
#include <cstdint>
#include <optional>

#include "config/base/unique_fd.hpp"
#include "router/backends/backends.hpp"
#include "router/engine/engine.hpp"
#include "router/http/message.hpp"
#include "router/proxy/client_side.hpp"
#include "router/proxy/exchange_machine.hpp"
#include "router/stats/access_line.hpp"
#include "router/stats/access_log.hpp"
#include "router/stats/row.hpp"

namespace gray::proxy {

/// The counted facts of an exchange; the log line has them too.
struct ExchangeRecord {
  std::optional<std::uint32_t> row;   // of the version that is counted; none: no version was chosen
  std::optional<std::uint32_t> cell;  // of the worker; none: no worker was found
  bool compared = false;              // a canary has users, and this is a request that the judge compares
  stats::Outcome counts;              // without the duration
  TimePoint started{};
  TimePoint granted{};     // a worker was found
  TimePoint first_byte{};  // of the answer; none came
  Micros queued{0};
  std::optional<std::uint64_t> identity_hash;
  const Address* client = nullptr;  // behind a trusted proxy it is not the peer
  http::Fault fault{.status = 0};
  segment::Side fault_side = segment::Side::downstream;
};

class Recorder {
 public:
  Recorder(engine::Engine& engine, Backends& backends, UniqueFd access_log, std::uint64_t id_seed);

  void record(ExchangeRecord& ended);
  /// An attempt of the exchange failed, and is repeated elsewhere: an error of the version that failed. A failing user
  /// is one whose answer would have been an error: a full queue is none.
  /// `targeted`: of a user whom a rule or the allowlist has chosen, which the judge does not compare.
  void failed_attempt(std::uint32_t row, segment::Reason reason, bool targeted,
                      std::optional<std::uint64_t> identity_hash, const Address& client);
  bool logs() const { return log_.enabled(); }
  /// Bytes of the buffer of lines.
  std::size_t log_memory() const { return log_.enabled() ? stats::kAccessBuffer : 0; }
  /// Completes `line`, which has the facts that are not counted, and writes it.
  void write_line(const ExchangeRecord& ended, stats::AccessRecord& line);
  /// A rule that one side broke is counted when it is noticed; the line of the exchange names the last one.
  void broken(const http::Fault& fault, segment::Side side);
  /// A trusted proxy has named a client that is not an address: logged at most once a minute.
  void unreadable_hop(std::string_view member, const Address& proxy);
  /// A peer that is not trusted has sent fields of a proxy. If it is a nearby one, it probably is the users' proxy, and
  /// the master is told once.
  void ignored_forwards(const Address& peer);
  /// The state machine got an impossible event: a bug of the router, logged.
  void impossible(State state);
  void reopen(UniqueFd access_log);
  void flush();
  /// 32 hex digits, unique over all routers (starts from 128 random bits, then counts).
  void make_id(std::array<char, 32>& id);

 private:
  void judge(const ExchangeRecord& ended, segment::Row& row);
  void arm();
  void count_lost();
  /// The wall clock at `now`, without a call of it for each line.
  stats::WallTime wall(TimePoint now);

  engine::Engine& engine_;
  Backends& backends_;
  stats::AccessLog log_;
  stats::LineClock clock_;
  engine::Timer flush_;
  TimePoint hop_logged_{};
  bool proxy_reported_ = false;
  std::uint64_t lost_ = 0;  // the dropped lines of the log that are counted already
  TimePoint wall_asked_{};
  stats::WallTime wall_then_{};
  std::array<char, 16> id_high_;  // the constant half of all ids, as text
  std::uint64_t id_low_;
};

}  // namespace gray::proxy

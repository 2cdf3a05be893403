// What a client's connection holds with its request, for reports: it is walked from outside, so that a request pays
// nothing for it.
#include "config/base/printable.hpp"
#include "router/downstream/downstream.hpp"
#include "router/engine/heap_bytes.hpp"

namespace gray::proxy {
namespace {

using engine::heap_bytes;

std::string shown_client(const Address& client) {
  if (client.kind == Address::Kind::unix_path) return {};
  return client.port == 0 ? client.ip_text() : client.text();
}

std::string shown_path(std::string_view path) {
  std::string shown(path.substr(0, kHolderText));
  make_printable(shown, '?');
  return shown;
}

std::uint64_t elapsed_ms(TimePoint since, TimePoint now) {
  return now <= since ? 0 : static_cast<std::uint64_t>(std::chrono::duration_cast<Duration>(now - since).count());
}

}  // namespace

void Downstream::look(bool with_kernel, stats::MemoryTally& tally) const {
  const engine::StreamMemory own = engine().memory(stream_, with_kernel);
  const std::size_t object = heap_bytes(sizeof(Downstream)) + heap_bytes(peer_.ip) + heap_bytes(peer_.address.path);
  if (own.process == 0) return tally.add(MemoryOwner::pools, {}, object);  // a spare one
  MemoryHolder holder{.client = {}, .bytes = object + own.process + inbox_.held(), .kernel_bytes = own.kernel};
  if (http2_) holder.bytes += http2_->memory();
  if (transaction_ != nullptr) holder.bytes += heap_bytes(sizeof(Transaction)) + transaction_->head.held();
  ExchangeMemory exchange{.waits_for = waits_for(own), .client = &peer_.address, .since = idle_since()};
  if (is_active()) exchange = transaction_->exchange.memory(with_kernel);
  holder.bytes += exchange.process;
  holder.row = exchange.row;
  holder.owner = exchange.queued ? MemoryOwner::queue : exchange.tunnel ? MemoryOwner::tunnels : MemoryOwner::clients;
  holder.waits_for = exchange.waits_for;
  report(std::move(holder), exchange, with_kernel, tally);
  if (exchange.worker == nullptr) return;
  MemoryHolder side{.owner = exchange.tunnel ? MemoryOwner::tunnels : MemoryOwner::workers,
                    .row = exchange.row,
                    .bytes = exchange.side.process,
                    .kernel_bytes = exchange.side.kernel,
                    .waits_for = exchange.waits_for};
  report(std::move(side), exchange, with_kernel, tally);
}

void Downstream::report(MemoryHolder holder, const ExchangeMemory& exchange, bool with_kernel,
                        stats::MemoryTally& tally) const {
  tally.add(holder.owner, holder.row, holder.bytes);
  if (!with_kernel) return;
  tally.add(MemoryOwner::kernel_sockets, holder.row, holder.kernel_bytes);
  if (!tally.is_large(holder.bytes + holder.kernel_bytes)) return;
  holder.client = shown_client(*exchange.client);
  holder.path = shown_path(exchange.path);
  if (exchange.worker != nullptr) holder.worker = exchange.worker->id;
  holder.age_ms = elapsed_ms(exchange.since, engine().now());
  tally.hold(std::move(holder));
}

// Without a request in progress.
WaitsFor Downstream::waits_for(const engine::StreamMemory& own) const {
  if (own.unsent > 0) return WaitsFor::client_read;
  if (phase_ == Phase::closing) return WaitsFor::client_close;
  return nothing_came() ? WaitsFor::next_request : WaitsFor::client_head;
}

// Its timer was set when the last request ended, or the connection began.
TimePoint Downstream::idle_since() const {
  if (arrival_.began()) return arrival_.since;
  if (!timer_.armed()) return engine().now();
  const TableView& table = context().tables.current();
  return timer_.deadline() - (fresh() ? table.head_timeout : table.idle_timeout);
}

}  // namespace gray::proxy

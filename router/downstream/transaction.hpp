#pragma once
// What a connection needs only while a request and its answer last. An idle connection has none: it takes one from the
// pool of its thread when a head is complete, and gives it back when the answer is written.
//
// Invariants: a transaction belongs to one connection at a time. Its exchange is not active when it is given back.
// After a peak the pool shrinks with each trim(), to what was in use at the same time lately. One thread.
#include <functional>
#include <memory>
#include <vector>

#include "router/downstream/answer_writer.hpp"
#include "router/downstream/client_watch.hpp"
#include "router/downstream/kept_head.hpp"
#include "router/engine/peak.hpp"
#include "router/proxy/exchange.hpp"
#include "router/wire/body.hpp"

namespace gray::proxy {

struct Transaction {
  Transaction(ExchangeContext& context, http::RequestHead& scratch)
      : head(context.shard.buffers, scratch),
        answer(context.shard.outbox, context.shard.engine, context.date),
        exchange(context),
        memory(context.shard.memory) {
    memory.add(sizeof(Transaction));
  }
  ~Transaction() { memory.give(sizeof(Transaction)); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  KeptHead head;  // of the request
  http::BodyDecoder body;
  AnswerWriter answer;
  ClientWatch watch;
  Exchange exchange;
  engine::MemoryBudget& memory;  // in which it counts
};

class TransactionPool {
 public:
  static constexpr std::size_t kFloor = 32;  // so many are always kept

  /// `scratch`: where the heads of the thread are parsed. `surplus` is called when has_surplus() becomes true: trim()
  /// is to be called until it is false.
  TransactionPool(ExchangeContext& context, http::RequestHead& scratch, std::function<void()> surplus)
      : context_(context), scratch_(scratch), surplus_(std::move(surplus)) {}
  TransactionPool(const TransactionPool&) = delete;
  TransactionPool& operator=(const TransactionPool&) = delete;

  http::RequestHead& scratch() { return scratch_; }
  /// For `client`, whose connection is `stream`. Null: there is no memory for it.
  std::unique_ptr<Transaction> take(ClientSide& client, engine::StreamId stream);
  void give_back(std::unique_ptr<Transaction> transaction);
  /// Frees unused ones above kFloor by the rule of engine::Peak. The bytes that were freed.
  std::size_t trim();
  /// Frees all unused ones above kFloor. The bytes.
  std::size_t drop_unused();

  std::size_t in_use() const { return in_use_; }
  std::size_t unused() const { return unused_.size(); }
  bool has_surplus() const { return unused() > engine::Peak::kept_of(in_use_, kFloor); }

 private:
  void reserve(std::size_t count);
  std::size_t free(std::size_t surplus);

  ExchangeContext& context_;
  http::RequestHead& scratch_;
  std::function<void()> surplus_;
  std::vector<std::unique_ptr<Transaction>> unused_;
  std::size_t in_use_ = 0;
  engine::Peak peak_;
};

}  // namespace gray::proxy

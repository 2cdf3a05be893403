#include "router/downstream/transaction.hpp"

#include <algorithm>
#include <iterator>
#include <new>

#include "router/engine/allocation_faults.hpp"

namespace gray::proxy {

// So that give_back() does not allocate.
void TransactionPool::reserve(std::size_t count) {
  if (unused_.capacity() < count) unused_.reserve(std::max(count, 2 * unused_.capacity()));
}

std::unique_ptr<Transaction> TransactionPool::take(ClientSide& client, engine::StreamId stream) {
  if (engine::allocation_fails()) return nullptr;
  std::unique_ptr<Transaction> transaction;
  if (unused_.empty()) {
    reserve(in_use_ + 1);
    transaction.reset(new (std::nothrow) Transaction(context_, scratch_));
    if (!transaction) return nullptr;
  } else {
    transaction = std::move(unused_.back());
    unused_.pop_back();
  }
  peak_.saw(++in_use_);
  transaction->exchange.serve(client);
  transaction->answer.open(stream);
  transaction->watch.reset();
  return transaction;
}

void TransactionPool::give_back(std::unique_ptr<Transaction> transaction) {
  const bool had_surplus = has_surplus();
  --in_use_;
  unused_.push_back(std::move(transaction));
  if (!had_surplus && has_surplus()) surplus_();
}

std::size_t TransactionPool::trim() { return free(peak_.trim(in_use_, unused_.size(), kFloor)); }

std::size_t TransactionPool::drop_unused() { return free(unused_.size() - std::min(unused_.size(), kFloor)); }

std::size_t TransactionPool::free(std::size_t surplus) {
  if (surplus == 0) return 0;
  unused_.resize(unused_.size() - surplus);
  std::vector<std::unique_ptr<Transaction>> smaller;
  smaller.reserve(in_use_ + unused_.size());
  std::ranges::move(unused_, std::back_inserter(smaller));
  unused_ = std::move(smaller);
  return surplus * sizeof(Transaction);
}

}  // namespace gray::proxy

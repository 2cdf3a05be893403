#include "router/downstream/transaction.hpp"

#include <algorithm>
#include <iterator>

namespace gray::proxy {

std::unique_ptr<Transaction> TransactionPool::take(ClientSide& client, engine::StreamId stream) {
  std::unique_ptr<Transaction> transaction;
  if (unused_.empty()) {
    unused_.reserve(in_use_ + 1);  // give_back() does not allocate
    transaction = std::make_unique<Transaction>(context_, scratch_);
  } else {
    transaction = std::move(unused_.back());
    unused_.pop_back();
  }
  most_ = std::max(most_, ++in_use_);
  transaction->exchange.serve(client);
  transaction->answer.open(stream);
  transaction->watch.reset();
  return transaction;
}

void TransactionPool::give_back(std::unique_ptr<Transaction> transaction) {
  --in_use_;
  unused_.push_back(std::move(transaction));
  if (unused_.size() == kFloor + 1) surplus_();
}

std::size_t TransactionPool::trim() {
  const std::size_t wanted = kFloor + most_ + most_ / 4, all = in_use_ + unused_.size();
  most_ = in_use_;
  if (all <= wanted) return 0;
  const std::size_t surplus = std::min(unused_.size(), (all - wanted + 1) / 2);
  unused_.resize(unused_.size() - surplus);
  std::vector<std::unique_ptr<Transaction>> smaller;
  smaller.reserve(in_use_ + unused_.size());
  std::ranges::move(unused_, std::back_inserter(smaller));
  unused_ = std::move(smaller);
  return surplus * sizeof(Transaction);
}

}  // namespace gray::proxy

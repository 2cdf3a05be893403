#pragma once
// Owners and hosts that do nothing, for parts of the master, and an event sink that keeps its events.
#include <vector>

#include "config/shared/event_record.hpp"
#include "grayd/routers/routers.hpp"

namespace gray::test {

struct KeptEvents final : EventSink {
  std::vector<EventRecord> events;
  void emit(EventRecord event) override { events.push_back(std::move(event)); }
};

struct QuietRoutersOwner : master::Routers::Owner {
  void routers_changed() override {}
  void workers_unused() override {}
  void probed(const ProbeOutcome&) override {}
  void met_stranger(const ChannelMessage&) override {}
  void met_untrusted_proxy(const ChannelMessage&) override {}
  void probing_possible(bool) override {}
};

}  // namespace gray::test

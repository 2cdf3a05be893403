#pragma once
// The verbs of the admin API, but those of the journal, carried out on the main thread. Each answers exactly once, when
// the truth is known: a shift when every router routes by it and the disk has it.
#include <asio/io_context.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "control/daemon.hpp"
#include "control/state/state_store.hpp"
#include "control/verbs/verb_table.hpp"
#include "grayd/live_state.hpp"
#include "grayd/report_source.hpp"
#include "grayd/version_verbs.hpp"
#include "grayd/weights.hpp"

namespace gray::master {

class Verbs {
 public:
  using Done = std::function<void(control::Reply)>;
  /// What the verbs need of the master.
  struct Parts {
    asio::io_context& io;  // outlives the store, whose thread posts to it
    const Settings& settings;
    LiveState& live;
    control::StateStore& store;
    /// Publishes what the live state says now and calls back when every router routes by it, with those that lag.
    std::function<void(std::function<void(std::string laggards)>)> publish;
    /// Calls back when the routers route by what the supervisor says now, or a moment later if they lag.
    std::function<void(std::function<void(std::string laggards)>)> settle;
    std::function<control::Reply()> reload;
    /// Hands over a source whose parts live as long as the call.
    std::function<void(const std::function<void(const ReportSource&)>&)> report;
    std::function<bool()> stopping;
    /// VersionVerbs::Parts::carry_out.
    std::function<unsigned(const Ordered&)> carry_out;
    /// Upgrades::begin.
    std::function<control::Reply(const nlohmann::json& args)> upgrade;
    /// Why nothing can be changed for a while, for people; empty: it can.
    std::function<std::string()> locked = [] { return std::string(); };
  };
  explicit Verbs(Parts parts);

  static bool knows(control::Verb verb) { return handler_of(verb) != nullptr; }
  /// Whether the verb changes something: those that do not can always be called.
  static bool changes(control::Verb verb) { return control::row_of(verb).changes; }
  void call(control::Verb verb, const nlohmann::json& args, Done done);
  /// The verb shift for callers inside grayd, refused when the verb would be. Neither told as an event
  /// nor counted as under way: that is theirs.
  void shift(const std::string& service, const std::string& version, double percent, Done done);

 private:
  using Handler = void (Verbs::*)(const nlohmann::json& args, Done done);
  static Handler handler_of(control::Verb verb);
  void status(const nlohmann::json& args, Done done);
  void health(const nlohmann::json& args, Done done);
  void metrics(const nlohmann::json& args, Done done);
  void shift(const nlohmann::json& args, Done done);
  template <Order order>
  void order_version(const nlohmann::json& args, Done done) {
    versions_.call(order, args, std::move(done));
  }
  void upgrade(const nlohmann::json& args, Done done);
  void reload(const nlohmann::json& args, Done done);

  /// Why nothing can be changed now; empty: it can.
  std::string unchangeable() const;
  control::Reply health_of(const std::string& only) const;
  void lower(const std::string& service, LiveState::Ticket ticket, Done done);
  void raise(const std::string& service, LiveState::Ticket ticket, Done done);
  /// Saves the wanted state; `then(error)` runs on the main thread.
  void persist(std::function<void(std::string)> then);

  Parts parts_;
  VersionVerbs versions_;
};

}  // namespace gray::master

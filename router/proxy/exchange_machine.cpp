#include "router/proxy/exchange_machine.hpp"

namespace gray::proxy {
namespace {

constexpr std::size_t kStates = static_cast<std::size_t>(State::count);
constexpr std::size_t kEvents = static_cast<std::size_t>(Event::count);
using Table = std::array<std::array<Step, kEvents>, kStates>;

struct Row {
  State state;
  Event event;
  State next;
  Action action;
};

// clang-format off
constexpr Row kRows[] = {
    {State::idle,       Event::request,       State::seeking,    Action::acquire},
    {State::idle,       Event::body,          State::gathering,  Action::gather},
    {State::idle,       Event::refused,       State::idle,       Action::reply},
    {State::idle,       Event::client_gone,   State::idle,       Action::none},
    {State::idle,       Event::deadline,      State::idle,       Action::none},

    {State::gathering,  Event::gathered,      State::seeking,    Action::acquire},
    {State::gathering,  Event::request_end,   State::seeking,    Action::acquire},
    {State::gathering,  Event::refused,       State::idle,       Action::reply},
    {State::gathering,  Event::deadline,      State::seeking,    Action::acquire},
    {State::gathering,  Event::client_gone,   State::idle,       Action::cut},

    {State::seeking,    Event::granted,       State::sending,    Action::send_request},
    {State::seeking,    Event::dial,          State::dialing,    Action::none},
    {State::seeking,    Event::queued,        State::waiting,    Action::none},
    {State::seeking,    Event::refused,       State::idle,       Action::reply},
    {State::seeking,    Event::retry,         State::seeking,    Action::acquire},
    {State::seeking,    Event::missing,       State::seeking,    Action::ask_next},
    {State::seeking,    Event::kept,          State::idle,       Action::send_kept},

    {State::waiting,    Event::granted,       State::sending,    Action::send_request},
    {State::waiting,    Event::dial,          State::dialing,    Action::none},
    {State::waiting,    Event::refused,       State::idle,       Action::reply},
    {State::waiting,    Event::deadline,      State::idle,       Action::reply},
    {State::waiting,    Event::retry,         State::seeking,    Action::acquire},
    {State::waiting,    Event::missing,       State::seeking,    Action::ask_next},
    {State::waiting,    Event::client_gone,   State::idle,       Action::forget},

    {State::dialing,    Event::connected,     State::sending,    Action::send_request},
    {State::dialing,    Event::failed,        State::judging,    Action::judge},
    {State::dialing,    Event::deadline,      State::judging,    Action::judge},
    {State::dialing,    Event::client_gone,   State::idle,       Action::cut},

    {State::sending,    Event::request_end,   State::awaiting,   Action::await_response},
    {State::sending,    Event::response_head, State::early,      Action::start_response},
    {State::sending,    Event::failed,        State::judging,    Action::judge},
    {State::sending,    Event::deadline,      State::judging,    Action::judge},
    {State::sending,    Event::refused,       State::idle,       Action::reply},
    {State::sending,    Event::client_gone,   State::idle,       Action::cut},

    {State::awaiting,   Event::response_head, State::responding, Action::start_response},
    {State::awaiting,   Event::missing,       State::dropping,   Action::drop_answer},
    {State::awaiting,   Event::upgraded,      State::tunnel,     Action::open_tunnel},
    {State::awaiting,   Event::failed,        State::judging,    Action::judge},
    {State::awaiting,   Event::deadline,      State::judging,    Action::judge},
    {State::awaiting,   Event::client_gone,   State::idle,       Action::cut},

    {State::early,      Event::request_end,   State::responding, Action::none},
    {State::early,      Event::response_end,  State::idle,       Action::finish_early},
    {State::early,      Event::failed,        State::idle,       Action::cut},
    {State::early,      Event::refused,       State::idle,       Action::cut},
    {State::early,      Event::deadline,      State::idle,       Action::cut},
    {State::early,      Event::client_gone,   State::idle,       Action::cut},

    {State::responding, Event::response_end,  State::idle,       Action::finish},
    {State::responding, Event::failed,        State::idle,       Action::cut},
    {State::responding, Event::deadline,      State::idle,       Action::cut},
    {State::responding, Event::client_gone,   State::idle,       Action::cut},

    {State::tunnel,     Event::response_end,  State::idle,       Action::close_tunnel},
    {State::tunnel,     Event::failed,        State::idle,       Action::cut},
    {State::tunnel,     Event::deadline,      State::idle,       Action::expire_tunnel},
    {State::tunnel,     Event::client_gone,   State::idle,       Action::cut},

    {State::judging,    Event::retry,         State::seeking,    Action::acquire},
    {State::judging,    Event::give_up,       State::idle,       Action::reply},
    {State::judging,    Event::missing,       State::seeking,    Action::ask_next},

    {State::dropping,   Event::response_end,  State::seeking,    Action::ask_next},
    {State::dropping,   Event::missing,       State::seeking,    Action::ask_next},
    {State::dropping,   Event::failed,        State::seeking,    Action::ask_next},
    {State::dropping,   Event::deadline,      State::seeking,    Action::ask_next},
    {State::dropping,   Event::client_gone,   State::idle,       Action::cut},
};
// clang-format on

// A pair that is listed twice does not compile: one row would hide the other.
constexpr Table make_table() {
  Table table{};
  // Filled explicitly: g++ 12 loses the default member values of array entries that are not set one by one.
  for (std::size_t state = 0; state < kStates; ++state) {
    table[state].fill({static_cast<State>(state), Action::impossible});
  }
  for (const Row& row : kRows) {
    Step& entry = table[static_cast<std::size_t>(row.state)][static_cast<std::size_t>(row.event)];
    if (entry.action != Action::impossible) throw "listed twice";
    entry = {row.next, row.action};
  }
  return table;
}

constexpr bool leaves(const Table& table, State state, Event event) {
  return table[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)].action != Action::impossible;
}

constexpr Table kTable = make_table();

constexpr bool every_wait_ends() {
  for (const State state : {State::gathering, State::waiting, State::dialing, State::sending, State::awaiting,
                            State::early, State::responding, State::tunnel, State::dropping}) {
    if (!leaves(kTable, state, Event::client_gone) || !leaves(kTable, state, Event::deadline)) return false;
  }
  return true;
}
static_assert(every_wait_ends());

}  // namespace

Step step(State state, Event event) { return kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)]; }

segment::Reason reason_of_deadline(State state) {
  using segment::Reason;
  switch (state) {
    case State::gathering: return Reason::none;
    case State::waiting: return Reason::queue_timeout;
    case State::dialing: return Reason::connect_timeout;
    case State::tunnel: return Reason::tunnel_idle;
    default: return Reason::response_timeout;
  }
}

const char* name_of(State state) {
  constexpr const char* kNames[] = {"idle",     "gathering", "seeking",    "waiting", "dialing", "sending",
                                    "awaiting", "early",     "responding", "tunnel",  "judging", "dropping"};
  static_assert(std::size(kNames) == kStates);
  return kNames[static_cast<std::size_t>(state)];
}

const char* name_of(Event event) {
  constexpr const char* kNames[] = {"request",       "body",      "granted",      "dial",     "queued",
                                    "refused",       "connected", "failed",       "gathered", "request_end",
                                    "response_head", "upgraded",  "response_end", "deadline", "client_gone",
                                    "retry",         "give_up",   "missing",      "kept"};
  static_assert(std::size(kNames) == kEvents);
  return kNames[static_cast<std::size_t>(event)];
}

}  // namespace gray::proxy

#pragma once
// One request and its answer as a table, state by event: what happens next, and what must be done for it. Pure; the
// shell (exchange.hpp) owns the sides and the timer, does the action, and may feed the next event from within it.
//
//   idle -> [gathering] -> seeking -> [waiting] -> [dialing] -> sending -> awaiting -> responding -> idle
//                             ^                                    |           |
//                             +---- judging (one safe retry) <-----+-----------+
//
//   awaiting -> dropping -> seeking: a version does not have the asset, the next one is asked.
//
//   sending -> early: answered before the request body was read.
//   awaiting -> tunnel -> idle: upgraded.
//
// Invariants
//  - Before the first response byte a failure is judged: repeated, or answered by the router. After it the answer is
//    cut short, never ended cleanly.
//  - client_gone and deadline end or leave every state that waits for the client, a worker or a socket.
//  - A pair that cannot happen is Action::impossible; it is never ignored silently.
#include <array>
#include <cstddef>
#include <cstdint>

#include "config/shared/segment.hpp"

namespace gray::proxy {

enum class State : std::uint8_t {
  idle,        // no request
  gathering,   // a small body, or the first bytes of a large one, are awaited: no socket is held for them
  seeking,     // asking for a socket to an able worker
  waiting,     // queued for one
  dialing,     // a socket is being opened for it
  sending,     // the request is being sent, its body is not complete; no response byte yet
  awaiting,    // the request is sent; no response byte yet
  early,       // answered while the request body is still coming
  responding,  // the request is complete, the answer is on its way
  tunnel,      // upgraded: bytes both ways until both sides have ended
  judging,     // an attempt failed: repeat it or answer
  dropping,    // the version does not have the asset: its answer is read to the end, before the next one is asked
  count
};

enum class Event : std::uint8_t {
  request,  // a head is complete, routed and allowed
  body,     // likewise, and a body follows that is gathered first
  granted,  // it has a connected socket
  dial,     // a socket may be opened, and is being opened
  queued,
  refused,  // neither a socket nor a place in the queue, or an answer of the router for a different reason
  connected,
  failed,         // the attempt failed; the shell has the reason
  gathered,       // enough of the request body is here to take a socket for it
  request_end,    // the request body is complete
  response_head,  // a final one
  upgraded,       // a valid 101
  response_end,   // of a tunnel: both sides have ended
  deadline,
  client_gone,
  retry,  // verdicts of judging; or stable is asked, because the canary has no socket for a user
  give_up,
  missing,  // the version lacks the asset, or cannot be asked for it, or its answer is too large to be dropped
  kept,     // no version has the asset, and the first answer is kept
  count
};

enum class Action : std::uint8_t {
  none,
  gather,          // read the body, up to what is kept of it
  acquire,         // ask for a socket; feeds granted, dial, queued or refused
  send_request,    // the head, and the body so far
  reply,           // answer with the reason, then done
  judge,           // feeds retry or give_up
  await_response,  // the response deadline starts
  start_response,
  finish,        // complete on both sides
  finish_early,  // complete, but request bytes are unread: neither connection can be used again
  cut,           // break both sides off, nothing may look like a clean end
  forget,        // the client left before a worker was involved
  open_tunnel,
  close_tunnel,   // both sides have ended
  drop_answer,    // read, but not passed on
  ask_next,       // the next version for the asset; feeds what acquire feeds, or kept
  send_kept,      // the first answer
  expire_tunnel,  // its time is up: both sides get a Close frame if they can understand it, then FIN
  impossible,
};

struct Step {
  State next = State::idle;
  Action action = Action::impossible;
};

/// What to do. Constant time, total: every pair has an entry.
Step step(State state, Event event);

/// Why an exchange whose deadline has passed in that state failed; none: it continues.
segment::Reason reason_of_deadline(State state);

const char* name_of(State state);
const char* name_of(Event event);

}  // namespace gray::proxy

#include "router/proxy/exchange.hpp"

#include <algorithm>

#include "router/policy/retry.hpp"
#include "router/proxy/recorder.hpp"

namespace gray::proxy {

using segment::Decision;
using segment::Reason;

Exchange::Exchange(ExchangeContext& context, ClientSide& client)
    : context_(context),
      client_(client),
      deadline_(this, [](void* self, TimePoint) { static_cast<Exchange*>(self)->on_deadline(); }) {}

Exchange::~Exchange() = default;

void Exchange::feed(Event event) {
  const Step taken = step(state_, event);
  state_ = taken.next;
  act(taken.action);
}

void Exchange::act(Action action) {
  switch (action) {
    case Action::none: return;
    case Action::acquire: return acquire();
    case Action::send_request: return send_request();
    case Action::reply: return reply();
    case Action::judge: return judge();
    case Action::await_response: return await_response();
    case Action::start_response: return start_response();
    case Action::finish: return finish(false);
    case Action::finish_early: return finish(true);
    case Action::cut: return cut();
    case Action::forget: return forget();
    case Action::open_tunnel: return open_tunnel();
    case Action::close_tunnel: return close_tunnel();
    case Action::part: return part();
    case Action::impossible: context_.recorder.impossible(state_); return cut();
  }
}

// Only ever moved later while a request goes on: the wheel stores that without touching a list.
void Exchange::arm(Duration after) {
  context_.shard.engine.timers().arm(deadline_, context_.shard.engine.now() + after);
}

// request_timeout bounds the wait for the first byte. After it a worker may fall silent, and a client may take nothing,
// for at least idle_timeout too: streams of events have gaps.
Duration Exchange::stall_limit() const {
  if (state_ == State::tunnel) return limits().tunnel_idle;
  return std::max(limits().request_timeout, limits().idle_timeout);
}

void Exchange::on_deadline() {
  // The client's slowness is no failure of the worker; its own side ends it in time.
  const bool answering = state_ == State::early || state_ == State::responding;
  if ((state_ == State::sending && awaits_body()) || (answering && client_.behind()))
    return arm(limits().request_timeout);
  switch (state_) {
    case State::idle: return;  // left armed by a request that has ended
    case State::waiting: reason_ = Reason::queue_timeout; break;
    case State::dialing: reason_ = Reason::connect_timeout; break;
    case State::tunnel: reason_ = Reason::tunnel_idle; break;
    default: reason_ = Reason::response_timeout; break;
  }
  feed(Event::deadline);
  context_.shard.outbox.flush();
}

void Exchange::acquire() {
  Backends& backends = context_.backends;
  if (WorkerSide* side = backends.acquire(*version_, *this, {avoid_, fresh_only_, choice_.affinity, wants_tunnel()})) {
    return take(*side);
  }
  reason_ = wants_tunnel() && !backends.has_tunnel(*version_) ? no_tunnel() : backends.enqueue(*version_, *this);
  if (reason_ != Reason::none) return feed(Event::refused);
  queued_ = context_.shard.engine.now();
  arm(limits().queue_timeout);
  feed(Event::queued);
}

void Exchange::granted(WorkerSide& side) {
  take(side);
  context_.shard.outbox.flush();
}

void Exchange::take(WorkerSide& side) {
  const TimePoint now = context_.shard.engine.now();
  if (state_ == State::waiting) waited_ = std::chrono::duration_cast<Micros>(now - queued_);
  upstream_ = &side;
  use_worker(&side.worker());
  granted_ = now;
  if (side.connecting()) arm(limits().connect_timeout);
  feed(side.connecting() ? Event::dial : Event::granted);
}

void Exchange::exhausted() {
  reason_ = Reason::overloaded;
  feed(Event::refused);
  context_.shard.outbox.flush();
}

void Exchange::use_worker(Worker* worker) {
  if (worker_ != nullptr) --worker_->in_flight;
  worker_ = worker;
  if (worker_ != nullptr) ++worker_->in_flight;
}

void Exchange::send_request() {
  const http::RequestHead& head = client_.request();
  if (head.expect_continue && !upstream_->knows_continue() && !request_complete_) client_.continue_request();
  upstream_->send_head(head, request_extras(), {limits().head, limits().fields});
  replay_body();
  if (request_complete_) return feed(Event::request_end);
  arm(limits().request_timeout);
  accepts_body_ = true;
  client_.body_wanted();
}

void Exchange::replay_body() {
  if (replay_.size() > 0) upstream_->send_data(replay_.view());
  if (request_complete_ && request_.has_body) upstream_->send_end();
}

http::RequestExtras Exchange::request_extras() const {
  return {.client_ip = info_.ip,
          .trusted = info_.trusted,
          .request_id = request_id_,
          .proto = info_.scheme,
          .keep_body = true,
          .span = span(),
          .expect = upstream_->knows_continue(),
          .upgrade = request_.upgrade};
}

void Exchange::request_data(std::string_view payload) {
  bytes_in_ += payload.size();
  keep_for_replay(payload);
  if (upstream_ == nullptr || !accepts_body_) return;  // dropped: the answer is already decided
  upstream_->send_data(payload);
  arm(limits().request_timeout);
}

// Until the first response byte a small body is kept, so that an attempt that fails can be repeated.
void Exchange::keep_for_replay(std::string_view payload) {
  if (!replayable_ || first_byte_ != TimePoint{}) return;
  replayable_ = replay_.size() + payload.size() <= policy::kReplayBytes &&
                context_.shard.buffers.reserve(replay_, payload.size(), info_.connection);
  if (replayable_) {
    replay_.append(payload);
  } else {
    replay_.reset();
  }
}

void Exchange::request_end() {
  request_complete_ = true;
  accepts_body_ = false;
  if (upstream_ != nullptr) upstream_->send_end();
  feed(Event::request_end);
}

void Exchange::await_response() {
  accepts_body_ = false;
  arm(limits().request_timeout);
}

void Exchange::failed(Reason reason) {
  reason_ = reason;
  feed(Event::failed);
}

void Exchange::judge() {
  const policy::Attempt attempt{.method = request_.method,
                                .response_started = upstream_->answered(),
                                .request_sent = upstream_->sent_anything(),
                                .body_replayable = replayable_,
                                .retries = retries_,
                                .reused = upstream_->reused(),
                                .failure = reason_,
                                .decision = choice_.decision};
  const policy::Retry verdict = policy::judge(attempt);
  avoid_ = worker_->generation;
  accepts_body_ = false;
  drop_upstream(reason_ != Reason::upstream_closed || !attempt.reused);
  fresh_only_ = verdict == policy::Retry::fresh_socket;
  if (verdict == policy::Retry::no) return feed(Event::give_up);
  if (verdict == policy::Retry::fresh_socket) {
    avoid_ = 0;
    return feed(Event::retry);
  }
  ++retries_;
  stats::record_failed_attempt(context_.backends.row(version_->row));
  if (verdict == policy::Retry::on_stable) retry_elsewhere();
  feed(Event::retry);
}

void Exchange::retry_elsewhere() {
  leave_version();
  choice_.version = service_->route->stable;
  choice_.decision = Decision::fallback;
  enter_version();
}

void Exchange::response_head(const http::ResponseHead& head) {
  response_ = &head;
  feed(Event::response_head);
  response_ = nullptr;
}

void Exchange::begin_answer() {
  status_ = response_->status;
  first_byte_ = context_.shard.engine.now();
  replay_.reset();
  arm(stall_limit());
}

void Exchange::start_response() {
  begin_answer();
  client_.start_response(*response_, response_extras());
}

http::ResponseExtras Exchange::response_extras() const {
  const ServiceRoute& route = *service_->route;
  http::ResponseExtras extras{.request_id = request_id_};
  if (route.expose != Expose::none) {
    extras.version = version_route().name;
    extras.decision = segment::name_of(choice_.decision);
  }
  if (choice_.issue != nullptr) extras.cookie = {choice_.issue->name, {choice_.issued.data(), choice_.issued.size()}};
  return extras;
}

void Exchange::response_data(std::string_view payload) {
  bytes_out_ += payload.size();
  client_.response_data(payload);
  arm(stall_limit());
}

// What is left to do after the client side says done() belongs to its next request: nothing may follow it here.
void Exchange::finish(bool close) {
  client_.end_response(close);
  version_->service_time.add(std::chrono::duration_cast<Micros>(context_.shard.engine.now() - granted_));
  conclude();
  WorkerSide& side = *std::exchange(upstream_, nullptr);
  close ? side.discard(false) : side.release();
  client_.done();
}

void Exchange::cut() {
  if (reason_ == Reason::none) reason_ = Reason::client_gone;
  if (first_byte_ == TimePoint{}) status_ = 0;
  const bool tunnel = status_ == 101;
  if (tunnel) upstream_->abort();  // who breaks a tunnel breaks it for both
  if (upstream_ != nullptr) drop_upstream(!tunnel && segment::status_of(reason_) >= 500);  // below: it was the client
  conclude();
  client_.cut();
}

void Exchange::forget() {
  context_.backends.leave_queue(*version_, *this);
  reason_ = Reason::client_gone;
  conclude();
  client_.cut();
}

void Exchange::drop_upstream(bool suspect) {
  if (std::exchange(worker_behind_, false)) client_.resume_body();
  std::exchange(upstream_, nullptr)->discard(suspect);
}

void Exchange::client_gone() {
  reason_ = Reason::client_gone;
  feed(Event::client_gone);
}

// A FIN before the first response byte: nearly always somebody who no longer waits. The work is given up, and the
// socket it held serves one who does. An answer that has begun is finished: if nobody reads it, sending it will tell.
void Exchange::client_closing() {
  if (first_byte_ == TimePoint{}) client_gone();
}

void Exchange::client_drained() {
  if (upstream_ == nullptr) return;
  arm(stall_limit());
  upstream_->resume();
}

// Pausing a source is never its silence: the deadline becomes the one of the side that is behind.
void Exchange::balance() {
  if (upstream_ == nullptr) return;
  if (client_.backed_up()) {
    upstream_->pause();
    arm(stall_limit());
    client_.fell_behind();
  }
  if (accepts_body_ && upstream_->backed_up()) {
    worker_behind_ = true;
    client_.pause_body();
  }
}

void Exchange::worker_drained() {
  worker_behind_ = false;
  arm(state_ == State::tunnel ? stall_limit() : limits().request_timeout);
  client_.resume_body();
}

void Exchange::conclude() {
  if (version_ != nullptr || view_ != nullptr || status_ != 0) {
    ExchangeRecord ended = record();
    if (context_.recorder.logs()) ended.line = log_line();
    context_.recorder.record(ended);
  }
  use_worker(nullptr);
  leave_version();
  if (view_ != nullptr) context_.tables.drop(*std::exchange(view_, nullptr));
  service_ = nullptr;
  accepts_body_ = false;
  replay_.reset();
}

ExchangeRecord Exchange::record() const {
  ExchangeRecord ended;
  if (version_ != nullptr) ended.row = version_->row;
  ended.counts = {.status = status_,
                  .reason = reason_,
                  .decision = choice_.decision,
                  .retries = retries_,
                  .bytes_in = bytes_in_,
                  .bytes_out = bytes_out_};
  ended.started = started_;
  ended.granted = granted_;
  ended.first_byte = first_byte_;
  ended.queued = waited_;
  if (info_.trusted) ended.client = &client_address_;
  return ended;
}

stats::AccessRecord Exchange::log_line() const {
  stats::AccessRecord line;
  line.request_id = request_id_;
  line.own_id = request_id_.data() == own_id_.data();
  line.client = info_.ip;
  line.method = request_.method_text;
  line.host = request_.host;
  line.path = request_.path;
  if (view_ != nullptr) line.rule = view_->unrouted_rule;
  if (service_ != nullptr) {
    const LogMembers& members = view_->log_members(*service_);
    line.rule = members.rule;
    line.place = version_ != nullptr ? members.places[choice_.version] : members.no_version;
  }
  if (worker_ != nullptr) line.worker = worker_->id;
  if (choice_.identified) line.identity_hash = choice_.identity_hash;
  line.fallback = choice_.decision == Decision::fallback;
  if (!request_.trace_id.empty()) {
    line.trace = request_.trace_id;
    line.span = span();
  }
  if (*fault_.rule == 'P') {  // a rule, "P12" or "PROXY"; a fault of memory is none
    line.fault = fault_.rule;
    line.fault_offset = fault_.offset;
    line.fault_side = fault_side_;
  }
  return line;
}

}  // namespace gray::proxy

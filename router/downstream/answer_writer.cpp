#include "router/downstream/answer_writer.hpp"

#include "router/wire/body.hpp"
#include "router/wire/trailers.hpp"

namespace gray::proxy {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\nVia: 1.1 grayd\r\n\r\n";

}  // namespace

// HTTP/1.0 does not have 1xx (P22).
void AnswerWriter::send_continue() {
  if (!old()) outbox_.append(stream_, kContinue);
}

void AnswerWriter::interim(const http::Response& head) {
  if (!old()) write(head, {}, {.client = version_});
}

void AnswerWriter::head(const http::Response& head, const http::ResponseExtras& extras, bool close) {
  chunked_ = !old() && head.body.kind == http::Body::Kind::open;
  last_chunk_sent_ = false;
  write(head, extras, hop(close));
}

void AnswerWriter::switch_protocols(const http::Response& head, const http::ResponseExtras& extras) {
  chunked_ = false;
  write(head, extras, {.client = version_});
}

void AnswerWriter::write(const http::Response& head, const http::ResponseExtras& extras, const http::Hop& hop) {
  char* out = outbox_.room(stream_, http::response_bound(head, extras));
  outbox_.commit(http::write_response(head, extras, hop, out));
}

void AnswerWriter::data(std::string_view payload) {
  chunked_ ? outbox_.append_chunk(stream_, payload) : outbox_.append(stream_, payload);
}

void AnswerWriter::trailers(std::string_view section) {
  if (!chunked_) return;
  outbox_.append(stream_, "0\r\n");
  char* out = outbox_.room(stream_, http::trailers_bound(section.size()));
  outbox_.commit(http::write_trailers(section, out));
  last_chunk_sent_ = true;
}

void AnswerWriter::end() {
  if (chunked_) outbox_.append(stream_, last_chunk_sent_ ? "\r\n" : http::kLastChunk);
}

void AnswerWriter::local(const http::LocalAnswer& answer, bool close) {
  chunked_ = false;
  char* out = outbox_.room(stream_, http::kMaxLocalAnswer);
  outbox_.commit(http::write_local_answer(answer, hop(close), out));
}

}  // namespace gray::proxy

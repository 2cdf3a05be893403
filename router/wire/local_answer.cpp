// The router's own answers. Their texts may come from anywhere (a trusted peer's request id, an error's detail), so
// each is cut and cleaned before it is written into a head.
#include <algorithm>
#include <array>

#include "router/http/characters.hpp"
#include "router/wire/forwarding.hpp"
#include "router/wire/head_writer.hpp"

namespace gray::http {

namespace {

constexpr std::size_t kMaxValue = 200;  // of each of the four field values
constexpr std::size_t kMaxDetail = 700;
constexpr std::size_t kFixed = 500;  // more than the names, separators, numbers and phrases of all
static_assert(4 * kMaxValue + kMaxDetail + kFixed <= kMaxLocalAnswer);

template <std::size_t Size>
class CleanText {
 public:
  explicit CleanText(std::string_view text) : size_(std::min(text.size(), Size)) {
    std::transform(text.begin(), text.begin() + size_, bytes_.begin(),
                   [](char c) { return is_text(c) && c != '\t' ? c : '?'; });
  }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, Size> bytes_;
  std::size_t size_;
};

HeadWriter write_value(HeadWriter writer, std::string_view name, std::string_view value) {
  writer.optional_field(name, CleanText<kMaxValue>(value).view());
  return writer;
}

HeadWriter write_head(HeadWriter writer, const LocalAnswer& answer, const Hop& hop, std::string_view phrase,
                      std::size_t body_size) {
  writer.text("HTTP/1.1 ");
  writer.status(answer.status);
  writer.text(" ");
  writer.text(phrase);
  writer.text(kCrlf);
  writer.optional_field("Date", hop.date);
  if (body_size > 0) writer.field("Content-Type", "text/plain; charset=utf-8");
  writer.optional_field("Allow", answer.allow);
  writer.number_field("Content-Length", body_size);
  writer = write_value(writer, "X-Gray-Reason", answer.reason);
  writer = write_value(writer, "X-Request-Id", answer.request_id);
  writer = write_value(writer, "X-Gray-Version", answer.version);
  writer = write_value(writer, "X-Gray-Decision", answer.decision);
  if (answer.retry_after > 0) writer.number_field("Retry-After", answer.retry_after);
  const bool close = answer.close || hop.close;
  if (close) writer.field("Connection", "close");
  if (!close && hop.keep_alive_10) writer.field("Connection", "keep-alive");
  writer.text(kCrlf);
  return writer;
}

}  // namespace

std::size_t write_local_answer(const LocalAnswer& answer, const Hop& hop, char* out) {
  const std::string_view phrase = reason_phrase(answer.status);
  HeadWriter writer(out);
  if (!answer.allow.empty()) {
    writer = write_head(writer, answer, hop, phrase, 0);
    return writer.size();
  }
  const CleanText<kMaxDetail> detail(answer.detail);
  std::array<char, kMaxDetail + 64> body;
  HeadWriter text(body.data());
  text.status(answer.status);
  text.text(" ");
  text.text(phrase);
  if (!answer.detail.empty()) text.text(": ");
  text.text(detail.view());
  text.text("\n");

  writer = write_head(writer, answer, hop, phrase, text.size());
  if (!answer.head_request) writer.text({body.data(), text.size()});
  return writer.size();
}

}  // namespace gray::http

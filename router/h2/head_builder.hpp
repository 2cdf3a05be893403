#pragma once
// Turns the fields of a request into the text of an HTTP/1.1 head, which the request parser of router/wire then reads.
// So there is one strict set of rules for both versions, and retries, logs and routing know only one form.
//
// Model: the decoder gives one field after the other. The text of the regular fields is gathered in one area, what must
// stand elsewhere (the request line, Host, the crumbs of Cookie) in another. finish() checks what the fields mean
// together, and writes the head in front.
//
// Invariants
//  - What an HTTP/1.1 text cannot express, or would express as something else, is refused before it is written.
//  - Neither area is exceeded: each field counts with 32 bytes more than it has (RFC 9113 6.5.2), against the limit of
//    the head. After that, and after any refusal, fields are only counted.
//  - The first refusal counts; it does not stop the decoder, whose table must follow the peer's.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "router/h2/hpack_decoder.hpp"
#include "router/http/message.hpp"

namespace gray::h2 {

/// Why a request is not given to the parser.
struct Refusal {
  enum class As : std::uint8_t { none, answer, stream_error };
  As as = As::none;
  int status = 0;           // of an answer: 400, 431 or 501
  const char* reason = "";  // a literal, for people
  explicit operator bool() const { return as != As::none; }
};

/// The areas: one for all connections of a thread. A text lasts until the next block is decoded.
class HeadRoom {
 public:
  explicit HeadRoom(const http::HeadLimits& limits);
  const http::HeadLimits& limits() const { return limits_; }
  StringRoom& strings() { return strings_; }
  /// In front of the fields there is room for the request line and Host, behind them for Cookie and the end.
  char* fields() { return fields_.data() + front_; }
  char* aside() { return aside_.data(); }

 private:
  http::HeadLimits limits_;
  std::size_t front_;
  StringRoom strings_;
  std::vector<char> fields_, aside_;
};

class HeadBuilder final : public FieldSink {
 public:
  enum class Section : std::uint8_t { request, trailers };

  HeadBuilder(HeadRoom& room, Section section);
  void field(const HeaderField& field) override;

  /// `end_stream`: no body follows. After it, if nothing is refused, text() is a whole head with its empty line, or the
  /// lines of the trailers with an empty line behind them.
  const Refusal& finish(bool end_stream);
  std::string_view text() const { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }
  /// Of a valid and single Content-Length.
  std::optional<std::uint64_t> content_length() const { return length_; }

 private:
  struct Piece {  // of the area aside
    const char* data = nullptr;
    std::size_t size = 0;
    bool there() const { return data != nullptr; }
    std::string_view view() const { return {data, size}; }
  };

  void refuse(Refusal::As as, int status, const char* reason);
  void malformed(const char* reason) { refuse(Refusal::As::stream_error, 400, reason); }
  void bad_request(const char* reason) { refuse(Refusal::As::answer, 400, reason); }
  bool counted(const HeaderField& field);
  void pseudo(const HeaderField& field);
  void regular(const HeaderField& field);
  void keep(Piece& piece, std::string_view text);
  void crumb(std::string_view text);
  void line(std::string_view name, std::string_view value);
  void check_pseudo();
  void check_target();
  void check_length(bool end_stream);
  void write_front();

  HeadRoom& room_;
  Section section_;
  Refusal refusal_;
  bool fields_began_ = false;
  std::size_t list_size_ = 0, count_ = 0;
  std::uint32_t lengths_ = 0;
  std::optional<std::uint64_t> length_;
  std::uint32_t hosts_ = 0;
  Piece method_, scheme_, authority_, path_;
  char* begin_;
  char* at_;                // the end of the text of the fields
  char* aside_;             // the end of what stands aside
  char* crumbs_ = nullptr;  // where the crumbs of Cookie begin there: behind the pseudo-fields
};

}  // namespace gray::h2

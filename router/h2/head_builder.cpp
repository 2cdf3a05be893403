#include "router/h2/head_builder.hpp"

#include <algorithm>

#include "router/h2/frame.hpp"
#include "router/http/characters.hpp"
#include "router/http/field_names.hpp"
#include "router/wire/framing.hpp"
#include "router/wire/head_writer.hpp"
#include "router/wire/trailers.hpp"

namespace gray::h2 {

namespace {

constexpr std::size_t kListOverhead = 32;  // that each field counts more than its bytes
// More than what is written beside the fields: the version, the names of Host and Cookie, Transfer-Encoding, the end.
constexpr std::size_t kBeside = 128;

bool is_all(std::string_view text, bool (*of_class)(char)) { return std::all_of(text.begin(), text.end(), of_class); }

}  // namespace

HeadRoom::HeadRoom(const http::HeadLimits& limits)
    : limits_(limits),
      front_(limits.bytes + kBeside),
      strings_(std::max<std::size_t>(limits.bytes, kFrameSize)),
      fields_(front_ + limits.bytes + kBeside),
      aside_(limits.bytes + kBeside) {}

HeadBuilder::HeadBuilder(HeadRoom& room, Section section)
    : room_(room), section_(section), begin_(room.fields()), at_(begin_), aside_(room.aside()) {}

void HeadBuilder::refuse(Refusal::As as, int status, const char* reason) {
  if (refusal_) return;
  refusal_ = {section_ == Section::trailers ? Refusal::As::stream_error : as, status, reason};
}

void HeadBuilder::field(const HeaderField& field) {
  if (!counted(field)) return;
  switch (field.traits.kind) {
    case NameKind::regular: break;
    case NameKind::empty: return malformed("an empty field name");
    case NameKind::uppercase: return malformed("an uppercase letter in a field name");
    case NameKind::invalid: return malformed("an invalid byte in a field name");
    case NameKind::unknown_pseudo:
    case NameKind::status: return malformed("a pseudo-field that requests do not have");
    case NameKind::connection_specific: return malformed("a field that belongs to a connection");
    default: return pseudo(field);
  }
  fields_began_ = true;
  if (!field.traits.valid_value) return malformed("a control byte, or a blank at an end, in a field value");
  regular(field);
}

// False: it is not looked at.
bool HeadBuilder::counted(const HeaderField& field) {
  list_size_ += field.name.size() + field.value.size() + kListOverhead;
  if (list_size_ > room_.limits().bytes) refuse(Refusal::As::answer, 431, "the header list is too large");
  const bool is_pseudo = !field.name.empty() && field.name.front() == ':';
  if (!is_pseudo && ++count_ > room_.limits().fields) refuse(Refusal::As::answer, 431, "too many fields");
  return !refusal_;
}

void HeadBuilder::pseudo(const HeaderField& field) {
  if (section_ == Section::trailers) return malformed("a pseudo-field in trailers");
  if (fields_began_) return malformed("a pseudo-field behind a field");
  if (!field.traits.valid_value) return malformed("a control byte, or a blank at an end, in a pseudo-field");
  switch (field.traits.kind) {
    case NameKind::method: return keep(method_, field.value);
    case NameKind::scheme: return keep(scheme_, field.value);
    case NameKind::authority: return keep(authority_, field.value);
    default: return keep(path_, field.value);
  }
}

void HeadBuilder::keep(Piece& piece, std::string_view text) {
  if (piece.there()) return malformed("a pseudo-field that comes twice");
  piece = {aside_, text.size()};
  aside_ = std::copy(text.begin(), text.end(), aside_);
}

void HeadBuilder::regular(const HeaderField& field) {
  if (section_ == Section::trailers) {
    if (http::is_harmless_trailer(field.name)) line(field.name, field.value);
    return;
  }
  switch (field.traits.id) {
    case http::Name::cookie: return crumb(field.value);
    case http::Name::host:
      if (++hosts_ > 1) return bad_request("more than one Host");
      if (!authority_.there()) break;
      if (!http::equals_ignoring_case(field.value, authority_.view())) bad_request("Host is not :authority");
      return;
    case http::Name::te:
      if (field.value != "trailers") return malformed("TE other than trailers");
      break;
    case http::Name::content_length: {
      std::uint64_t length = 0;
      if (++lengths_ == 1 && http::parse_content_length(field.value, length)) {
        length_ = length;
      } else {
        length_.reset();  // the parser refuses it
      }
      break;
    }
    default: break;
  }
  line(field.name, field.value);
}

// RFC 9113 8.2.3: the crumbs of Cookie become one field.
void HeadBuilder::crumb(std::string_view text) {
  if (crumbs_ == nullptr) crumbs_ = aside_;
  if (aside_ != crumbs_) {
    *aside_++ = ';';
    *aside_++ = ' ';
  }
  aside_ = std::copy(text.begin(), text.end(), aside_);
}

void HeadBuilder::line(std::string_view name, std::string_view value) {
  http::HeadWriter writer(at_);
  writer.field(name, value);
  at_ += writer.size();
}

const Refusal& HeadBuilder::finish(bool end_stream) {
  if (section_ == Section::request && !refusal_) {
    check_pseudo();
    if (!refusal_) check_target();
    if (!refusal_) check_length(end_stream);
    if (!refusal_) write_front();
    if (!refusal_ && crumbs_ != nullptr) line("Cookie", {crumbs_, static_cast<std::size_t>(aside_ - crumbs_)});
    if (!refusal_ && !end_stream && lengths_ == 0) line("Transfer-Encoding", "chunked");
  }
  if (!refusal_) at_ = std::copy(http::kCrlf.begin(), http::kCrlf.end(), at_);
  return refusal_;
}

void HeadBuilder::check_pseudo() {
  if (!method_.there()) return malformed("no :method");
  if (method_.size == 0 || !is_all(method_.view(), http::is_token)) return malformed(":method is not a token");
  if (method_.view() == "CONNECT") return refuse(Refusal::As::answer, 501, "CONNECT is not offered");
  if (!scheme_.there()) return malformed("no :scheme");
  if (!path_.there()) return malformed("no :path");
  if (path_.size == 0) return malformed("an empty :path");
}

void HeadBuilder::check_target() {
  const std::string_view scheme = scheme_.view(), path = path_.view();
  const bool known = http::equals_ignoring_case(scheme, "http") || http::equals_ignoring_case(scheme, "https");
  if (!known) return bad_request(":scheme is neither http nor https");
  if (!is_all(path, http::is_target)) return bad_request("an invalid byte in :path");
  if (path == "*") {
    if (method_.view() != "OPTIONS") bad_request(":path * without OPTIONS");
  } else if (path.front() != '/') {
    bad_request(":path does not begin with /");
  }
}

void HeadBuilder::check_length(bool end_stream) {
  if (end_stream && length_.value_or(0) > 0) malformed("no DATA for a Content-Length");
}

void HeadBuilder::write_front() {
  constexpr std::string_view kVersion = " HTTP/1.1\r\n", kHost = "Host: ";
  std::size_t size = method_.size + 1 + path_.size + kVersion.size();
  if (authority_.there()) size += kHost.size() + authority_.size + http::kCrlf.size();
  begin_ -= size;
  http::HeadWriter writer(begin_);
  writer.text(method_.view());
  writer.text(" ");
  writer.text(path_.view());
  writer.text(kVersion);
  if (authority_.there()) writer.field("Host", authority_.view());
}

}  // namespace gray::h2

#include "router/wire/head_reader.hpp"

#include <algorithm>

#include "router/http/characters.hpp"
#include "router/http/field_names.hpp"

namespace gray::http {

namespace {

Parse refuse_name(HeadReader& reader, const char* stop, bool first) {
  const char c = *stop;
  if (c == '\n') return reader.refuse(stop, 400, "P12", "bare LF in a field line");
  if (stop == reader.at && is_blank(c)) {
    return first ? reader.refuse(stop, 400, "P13", "whitespace before the first field")
                 : reader.refuse(stop, 400, "P11", "folded field line (obs-fold)");
  }
  if (stop == reader.at && c == ':') return reader.refuse(stop, 400, "P14", "empty field name");
  if (is_blank(c)) return reader.refuse(stop, 400, "P10", "whitespace between field name and colon");
  if (c == '\r') return reader.refuse(stop, 400, "P14", "field line without a colon");
  return reader.refuse(stop, 400, "P14", "invalid byte in a field name");
}

Parse read_field(HeadReader& reader, bool first, Field& field) {
  const char* dashed = skip_dashed(reader.at, reader.end);
  const char* colon = dashed == reader.end || *dashed == ':' ? dashed : skip_token(dashed, reader.end);
  if (colon == reader.end) return Parse::incomplete;
  if (*colon != ':' || colon == reader.at) return refuse_name(reader, colon, first);
  field.name = {reader.at, static_cast<std::size_t>(colon - reader.at)};

  const char* from = colon + 1;
  while (from != reader.end && is_blank(*from)) ++from;
  const char* to = skip_text(from, reader.end);
  if (const Parse ended = end_line(reader, to); ended != Parse::complete) return ended;
  while (to != from && is_blank(to[-1])) --to;
  field.value = {from, static_cast<std::size_t>(to - from)};
  field.id = name_of(field.name);
  if (dashed != colon && shadows_known_name(field.name)) field.id = Name::shadow;
  return Parse::complete;
}

template <class Use>
void for_each_member(std::string_view list, std::uint32_t& members, Noted& noted, Use use) {
  std::string_view member;
  for (bool more = true; members <= kMaxListMembers && next_member(list, more, member); ++members) use(member);
  noted.crowded = noted.crowded || members > kMaxListMembers;
}

void note_connection(std::string_view list, Noted& noted) {
  for_each_member(list, noted.connection_options, noted, [&noted](std::string_view option) {
    if (equals_ignoring_case(option, "keep-alive")) noted.keep_alive = true;
    if (equals_ignoring_case(option, "close")) noted.close = true;
    if (equals_ignoring_case(option, "upgrade")) noted.upgrade = true;
  });
}

void note_codings(std::string_view list, Noted& noted) {
  for_each_member(list, noted.codings, noted, [&noted](std::string_view coding) {
    if (equals_ignoring_case(coding, "trailers")) noted.te_trailers = true;
  });
}

// Only counted: most requests have none, and upgrade.cpp looks at them when they count.
void note_protocols(std::string_view list, Noted& noted) {
  noted.upgrade_field = !list.empty();
  for_each_member(list, noted.protocols, noted, [](std::string_view) {});
}

void note(const Field& field, Noted& noted) {
  switch (field.id) {
    case Name::host:
      ++noted.hosts;
      noted.host = field.value;
      break;
    case Name::content_length:
      ++noted.framing.content_lengths;
      noted.framing.content_length = field.value;
      break;
    case Name::transfer_encoding:
      ++noted.framing.transfer_encodings;
      noted.framing.transfer_encoding = field.value;
      break;
    case Name::connection: note_connection(field.value, noted); break;
    case Name::upgrade: note_protocols(field.value, noted); break;
    case Name::expect:
      (equals_ignoring_case(field.value, "100-continue") ? noted.expect_continue : noted.expect_other) = true;
      break;
    case Name::te: note_codings(field.value, noted); break;
    case Name::forwarded:
    case Name::x_forwarded_for:
    case Name::x_forwarded_proto:
    case Name::x_forwarded_host:
    case Name::x_forwarded_client_cert:
    case Name::x_forwarded: noted.forwards = true; break;
    case Name::max_forwards:
      ++noted.max_forwards;
      noted.hops = field.value;
      break;
    case Name::traceparent:
      ++noted.traceparents;
      noted.traceparent = field.value;
      break;
    case Name::sec_fetch_dest: noted.fetch_dest = field.value; break;
    default: break;
  }
}

}  // namespace

Parse HeadReader::refuse(const char* where, int status, const char* rule, const char* text) {
  fault = {status, rule, text, static_cast<std::size_t>(where - begin)};
  return Parse::fault;
}

Parse refuse_line_end(HeadReader& reader, const char* stop) {
  if (stop == reader.end) return Parse::incomplete;
  if (*stop == '\n') return reader.refuse(stop, 400, "P12", "bare LF");
  if (*stop != '\r') return reader.refuse(stop, 400, "P14", *stop == '\0' ? "NUL byte" : "control byte");
  if (stop + 1 == reader.end) return Parse::incomplete;
  return reader.refuse(stop, 400, "P12", "bare CR");
}

Parse read_fields(HeadReader& reader, std::size_t limit, Fields& fields, Noted& noted) {
  limit = std::min(limit, kMaxFields);
  fields.count = 0;
  while (reader.at != reader.end) {
    if (*reader.at == '\r') return end_line(reader, reader.at);
    if (fields.count == limit) return reader.refuse(reader.at, 431, "P8", "too many fields");
    Field& field = fields.items[fields.count];
    if (const Parse read = read_field(reader, fields.count == 0, field); read != Parse::complete) return read;
    ++fields.count;
    if (field.id != Name::other) note(field, noted);
    if (noted.crowded)
      return reader.refuse(field.value.data(), 400, "P1", "too many members in Connection, TE or Upgrade");
  }
  return Parse::incomplete;
}

bool is_persistent(const Noted& noted, Version version) {
  return !noted.close && (version == Version::http11 || noted.keep_alive);
}

}  // namespace gray::http

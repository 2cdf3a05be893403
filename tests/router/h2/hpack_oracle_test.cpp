// The decoder against that of nghttp2: random blocks, some of them damaged, give the same fields or the same refusal.
//
// Differences, where ours is stricter: nghttp2 takes any number of size updates at the beginning of a block (we: two,
// as RFC 7541 4.2 has no use for more), and integers with up to five bytes behind the first (we: four).
#include <doctest/doctest.h>
#include <nghttp2/nghttp2.h>

#include <optional>
#include <random>
#include <string>

#include "tests/router/h2/field_list.hpp"
#include "tests/router/h2/huffman_coding.hpp"

using namespace gray::h2;

namespace {

class OracleDecoder {
 public:
  OracleDecoder() { nghttp2_hd_inflate_new(&inflater_); }
  ~OracleDecoder() { nghttp2_hd_inflate_del(inflater_); }
  OracleDecoder(const OracleDecoder&) = delete;
  OracleDecoder& operator=(const OracleDecoder&) = delete;

  std::optional<std::string> decode(std::string_view block) {
    std::string text;
    const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    while (true) {
      nghttp2_nv field{};
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      if (used < 0) return std::nullopt;
      at += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        text.append(reinterpret_cast<const char*>(field.name), field.namelen).append(": ");
        text.append(reinterpret_cast<const char*>(field.value), field.valuelen).append("\n");
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
      if (left == 0 && (flags & NGHTTP2_HD_INFLATE_EMIT) == 0) return std::nullopt;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return text;
  }

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

class BlockMaker {
 public:
  explicit BlockMaker(unsigned seed) : random_(seed) {}

  std::string block() {
    std::string out;
    for (std::size_t updates = one_in(8) ? 1 + below(2) : 0; updates > 0; --updates) {
      out += integer(static_cast<std::uint32_t>(below(one_in(50) ? 4200 : 4097)), 5, 0x20);
    }
    for (std::size_t fields = below(12); fields > 0; --fields) out += field();
    if (one_in(12)) damage(out);
    return out;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool one_in(std::size_t times) { return below(times) == 0; }

  static std::string integer(std::uint32_t value, unsigned bits, unsigned first) {
    std::string out(6, '?');
    out.resize(static_cast<std::size_t>(encode_integer(value, bits, first, out.data()) - out.data()));
    return out;
  }
  std::string string(std::size_t longest) {
    std::string text;
    for (std::size_t size = below(longest); size > 0; --size) {
      text += one_in(20) ? static_cast<char>(random_()) : static_cast<char>('a' + below(26));
    }
    const bool huffman = one_in(2);
    if (huffman) text = encode_huffman(text);
    return integer(static_cast<std::uint32_t>(text.size()), 7, huffman ? 0x80 : 0) + text;
  }
  std::uint32_t index() {
    return static_cast<std::uint32_t>(one_in(300) ? below(300) : 1 + below(one_in(30) ? 75 : 61));
  }
  std::string field() {
    if (one_in(3)) return integer(index(), 7, 0x80);
    const bool inserts = !one_in(3);
    const std::uint32_t name = one_in(2) ? index() : 0;
    std::string out = inserts ? integer(name, 6, 0x40) : integer(name, 4, one_in(2) ? 0x10 : 0);
    if (name == 0) out += string(30);
    return out + string(one_in(20) ? 3000 : 60);
  }
  void damage(std::string& block) {
    if (block.empty()) return;
    switch (below(4)) {
      case 0: block[below(block.size())] = static_cast<char>(random_()); break;
      case 1: block.resize(below(block.size())); break;
      case 2: block[below(block.size())] ^= static_cast<char>(1 << below(8)); break;
      default: block.insert(below(block.size()), 1, static_cast<char>(random_())); break;
    }
  }

  std::mt19937 random_;
};

bool is_documented_difference(std::string_view fault) {
  return fault == "more than two HPACK size updates" || fault == "an HPACK integer is too large";
}

}  // namespace

TEST_CASE("Random blocks are decoded as by nghttp2") {
  const unsigned first_seed = std::random_device{}();
  std::size_t blocks = 0, refused = 0, differences = 0, fields = 0;
  for (unsigned run = 0; run < 4000; ++run) {
    INFO("seed ", first_seed + run);
    BlockMaker maker(first_seed + run);
    HpackDecoder decoder;
    StringRoom room(32 * 1024);
    OracleDecoder oracle;
    for (int i = 0; i < 20; ++i) {
      const std::string block = maker.block();
      FieldList list;
      const char* fault = decoder.decode(block, room, list);
      ++blocks;
      if (fault != nullptr && is_documented_difference(fault)) {
        ++differences;
        break;
      }
      const std::optional<std::string> expected = oracle.decode(block);
      CHECK((fault == nullptr) == expected.has_value());
      if (fault != nullptr || !expected) {
        ++refused;
        break;
      }
      REQUIRE(list.text == *expected);
      fields += list.text.size();
    }
  }
  MESSAGE(blocks, " blocks, ", refused, " refused by both, ", differences, " by documented differences, seed ",
          first_seed);
  CHECK(refused > 1000);
  CHECK(fields > 1000000);
  CHECK(differences < refused / 10);
}

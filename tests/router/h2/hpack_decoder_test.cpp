#include "router/h2/hpack_decoder.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/router/h2/field_list.hpp"
#include "tests/router/h2/hex.hpp"
#include "tests/router/h2/huffman_coding.hpp"

using namespace gray::h2;

namespace {

struct Decoding {
  HpackDecoder decoder;
  StringRoom room{32 * 1024};

  /// The fields; or the fault, with a '!' in front.
  std::string decode(std::string_view block) {
    FieldList list;
    const std::string exact(block);
    const char* fault = decoder.decode(exact, room, list);
    return fault == nullptr ? list.text : "!" + std::string(fault);
  }
};

bool fails(std::string_view block) { return Decoding().decode(block).starts_with('!'); }

const char* const kFirst = ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n";
const char* const kSecond =
    ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache\n";
const char* const kThird =
    ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n";

const char* const kFirstResponse =
    ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n";
const char* const kSecondResponse =
    ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n";
const char* const kThirdResponse =
    ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n"
    "content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n";

}  // namespace

TEST_CASE("RFC 7541 C.2: single fields") {
  Decoding d;
  CHECK(d.decode(from_hex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572")) ==
        "custom-key: custom-header\n");
  CHECK(d.decoder.table().size() == 55);
  CHECK(d.decode(from_hex("040c 2f73 616d 706c 652f 7061 7468")) == ":path: /sample/path\n");
  CHECK(d.decode(from_hex("1008 7061 7373 776f 7264 0673 6563 7265 74")) == "password: secret\n");
  CHECK(d.decode(from_hex("82")) == ":method: GET\n");
  CHECK(d.decoder.table().count() == 1);
}

TEST_CASE("RFC 7541 C.3: requests without Huffman") {
  Decoding d;
  CHECK(d.decode(from_hex("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d")) == kFirst);
  CHECK(d.decoder.table().size() == 57);
  CHECK(d.decode(from_hex("8286 84be 5808 6e6f 2d63 6163 6865")) == kSecond);
  CHECK(d.decoder.table().size() == 110);
  CHECK(d.decode(from_hex("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65")) == kThird);
  CHECK(d.decoder.table().size() == 164);
}

TEST_CASE("RFC 7541 C.4: requests with Huffman") {
  Decoding d;
  CHECK(d.decode(from_hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")) == kFirst);
  CHECK(d.decode(from_hex("8286 84be 5886 a8eb 1064 9cbf")) == kSecond);
  CHECK(d.decode(from_hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")) == kThird);
  CHECK(d.decoder.table().size() == 164);
}

TEST_CASE("RFC 7541 C.5: responses without Huffman, with evictions") {
  Decoding d;
  d.decoder.set_table_limit(256);
  CHECK(d.decode(from_hex("3f e1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133"
                          "2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63"
                          "6f6d")) == kFirstResponse);
  CHECK(d.decoder.table().size() == 222);
  CHECK(d.decode(from_hex("4803 3330 37c1 c0bf")) == kSecondResponse);
  CHECK(d.decoder.table().size() == 222);
  CHECK(d.decode(from_hex("88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04"
                          "677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49"
                          "553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31")) == kThirdResponse);
  CHECK(d.decoder.table().size() == 215);
}

TEST_CASE("RFC 7541 C.6: responses with Huffman, with evictions") {
  Decoding d;
  d.decoder.set_table_limit(256);
  CHECK(d.decode(from_hex("3f e1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6"
                          "2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3")) == kFirstResponse);
  CHECK(d.decode(from_hex("4883 640e ffc1 c0bf")) == kSecondResponse);
  CHECK(d.decode(from_hex("88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7"
                          "821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed"
                          "4ee5 b106 3d50 07")) == kThirdResponse);
  CHECK(d.decoder.table().size() == 215);
}

TEST_CASE("An index without an entry is refused") {
  CHECK(fails(from_hex("80")));           // 0
  CHECK(fails(from_hex("be")));           // 62 in an empty table
  CHECK(fails(from_hex("7e 00")));        // likewise, as a name
  CHECK(fails(from_hex("0f 2f 00")));     // likewise, without indexing
  CHECK(fails(from_hex("ff ff ff 7f")));  // far beyond
  Decoding d;
  CHECK(d.decode(inserted("a", "b")) == "a: b\n");
  CHECK(d.decode(from_hex("be")) == "a: b\n");
  CHECK(d.decode(from_hex("bf")).starts_with('!'));
}

TEST_CASE("An integer is bounded") {
  CHECK(fails(from_hex("ff ff ff ff ff ff 01")));
  CHECK(fails(from_hex("ff 80 80 80 80 00")));  // zeros without end
  CHECK(fails(from_hex("ff 80 80 80 80 80 80 80 80 80 80 01")));
  CHECK(fails(from_hex("00 7f ff ff ff ff 0f")));
  CHECK(fails(from_hex("ff")));
  CHECK(fails(from_hex("ff 80")));
  CHECK(Decoding().decode(from_hex("ff 80 00")).starts_with('!'));  // 127: no entry, but an integer
}

TEST_CASE("A block that ends inside of a field is refused, at every byte") {
  const std::string block = inserted("name", "value") + from_hex("82") + literal("x", std::string(300, 'y')) +
                            from_hex("418c f1e3c2e5f23a6ba0ab90f4ff");
  const std::string whole = Decoding().decode(block);
  CHECK(!whole.starts_with('!'));
  std::size_t complete = 0;
  for (std::size_t size = 0; size < block.size(); ++size) {
    const std::string part = Decoding().decode(block.substr(0, size));
    if (part.starts_with('!')) continue;
    ++complete;
    CHECK(whole.starts_with(part));
  }
  CHECK(complete == 4);  // nothing, and one to three fields
}

TEST_CASE("Size updates: two at most, only in front, not above the limit") {
  const std::string to_0 = from_hex("20"), to_4096 = from_hex("3f e1 1f"), to_4097 = from_hex("3f e2 1f");
  CHECK(Decoding().decode(to_0 + to_4096 + from_hex("82")) == ":method: GET\n");
  CHECK(Decoding().decode(to_0) == "");
  CHECK(fails(to_0 + to_0 + to_0));
  CHECK(fails(to_4097));
  CHECK(fails(from_hex("82") + to_0));
  Decoding d;
  d.decode(inserted("a", "b"));
  CHECK(d.decode(to_0 + to_4096) == "");
  CHECK(d.decoder.table().memory() == 0);
  CHECK(d.decode(from_hex("be")).starts_with('!'));
}

TEST_CASE("After a lower limit the next block must begin with a size update") {
  Decoding d;
  d.decoder.set_table_limit(100);
  CHECK(d.decode(from_hex("82")).starts_with('!'));
  Decoding e;
  e.decoder.set_table_limit(100);
  CHECK(e.decode(from_hex("3f 45") + from_hex("82")) == ":method: GET\n");  // 100
  CHECK(e.decode(from_hex("82")) == ":method: GET\n");
  Decoding f;
  f.decoder.set_table_limit(100);
  CHECK(f.decode(from_hex("3f 46")).starts_with('!'));  // 101
  Decoding g;
  g.decode(from_hex("20"));
  g.decoder.set_table_limit(100);  // its table is smaller already
  CHECK(g.decode(from_hex("82")) == ":method: GET\n");
}

TEST_CASE("A name from the table survives the eviction of its entry by the insertion") {
  Decoding d;
  const std::string name(100, 'n');
  d.decode(inserted(name, std::string(3900, 'v')));
  // The new entry has the name of the one that it evicts.
  std::string block = from_hex("7e");
  block += from_hex("7f 99 1e") + std::string(3992, 'w');
  CHECK(d.decode(block) == name + ": " + std::string(3992, 'w') + "\n");
  CHECK(d.decode(from_hex("be")).starts_with('!'));  // 100 + 3992 + 32 is larger than the table
  Decoding e;
  e.decode(inserted(name, std::string(3900, 'v')));
  e.decode(from_hex("7e 03 616263"));
  CHECK(e.decode(from_hex("be")) == name + ": abc\n");
}

TEST_CASE("A field is judged once, with its entry") {
  HpackDecoder decoder;
  StringRoom room(16384);
  FieldList list;
  CHECK(decoder.decode(inserted("transfer-encoding", "x\ny"), room, list) == nullptr);
  CHECK(decoder.decode(from_hex("be"), room, list) == nullptr);
  CHECK(list.traits.kind == NameKind::connection_specific);
  CHECK(!list.traits.valid_value);
  CHECK(decoder.decode(from_hex("7e 01 7a"), room, list) == nullptr);  // the name with another value
  CHECK(list.traits.kind == NameKind::connection_specific);
  CHECK(list.traits.valid_value);
}

TEST_CASE("Huffman strings of any size fit into the room of a block") {
  Decoding d;
  const std::string text(40000, 'e');
  const std::string encoded = encode_huffman(text);
  REQUIRE(encoded.size() < 32 * 1024 - 10);
  std::string block(16, '?');
  block[0] = 0;
  block[1] = 1;
  block[2] = 'n';
  char* end = encode_integer(static_cast<std::uint32_t>(encoded.size()), 7, 0x80, block.data() + 3);
  block.resize(static_cast<std::size_t>(end - block.data()));
  CHECK(d.decode(block + encoded) == "n: " + text + "\n");
}

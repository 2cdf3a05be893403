// HPACK: the input is a sequence of blocks, each behind a byte with its length, on one connection. Whatever they are,
// the table keeps its bounds; and fields that were decoded are the same after they were encoded and decoded again.
#include <string>
#include <utility>
#include <vector>

#include "router/h2/hpack_decoder.hpp"
#include "router/h2/hpack_encoder.hpp"
#include "router/http/characters.hpp"
#include "tests/fuzz/property.hpp"

using namespace gray::h2;
using namespace gray::fuzz;

namespace {

class Pairs final : public FieldSink {
 public:
  void field(const HeaderField& field) override {
    list.emplace_back(field.name, field.value);
    const FieldTraits again = traits_of_name(field.name);
    must(again.kind == field.traits.kind && again.id == field.traits.id, "a name is judged the same every time");
    must(is_valid_value(field.value) == field.traits.valid_value, "a value is judged the same every time");
  }
  std::vector<std::pair<std::string, std::string>> list;
};

void check_table(const HpackTable& table) {
  must(table.size() <= table.max_size() && table.max_size() <= table.limit(), "the table is not larger than allowed");
  must(table.memory() <= 2 * kTableSize + 2048, "the table takes bounded memory");
  must((table.count() == 0) == (table.memory() == 0), "an empty table takes no memory");
  std::size_t size = 0;
  for (std::uint32_t index = 1; index <= table.count(); ++index) {
    const HeaderField field = table.at(index);
    size += field.name.size() + field.value.size() + kEntryOverhead;
  }
  must(size == table.size(), "the size is the sum of the entries");
}

std::string lower(std::string text) {
  for (char& c : text) c = gray::http::to_lower(c);
  return text;
}

void check_round_trip(const Pairs& pairs, StringRoom& room) {
  std::size_t bound = 0, size = 0;
  for (const auto& [name, value] : pairs.list) bound += field_bound(name.size(), value.size());
  if (bound > room.block()) return;
  Exact block(bound);
  for (const auto& [name, value] : pairs.list) {
    char* const at = block.data() + size;
    size += static_cast<std::size_t>(encode_field(name, value, at) - at);
  }
  Pairs again;
  HpackDecoder decoder;
  must(decoder.decode(block.view().substr(0, size), room, again) == nullptr, "what was encoded is decoded");
  must(again.list.size() == pairs.list.size(), "every field comes back");
  for (std::size_t i = 0; i < again.list.size(); ++i) {
    must(again.list[i].first == lower(pairs.list[i].first) && again.list[i].second == pairs.list[i].second,
         "a field comes back as it was");
  }
  must(decoder.table().count() == 0, "the encoder uses no table");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static StringRoom room(32 * 1024);
  std::string_view input(reinterpret_cast<const char*>(data), size);
  HpackDecoder decoder, twin;
  while (!input.empty()) {
    const auto length = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const Exact block(input.substr(0, length));
    input.remove_prefix(block.view().size());
    Pairs pairs, same;
    const bool fault = decoder.decode(block.view(), room, pairs) != nullptr;
    must((twin.decode(block.view(), room, same) != nullptr) == fault && same.list == pairs.list,
         "two decoders do the same");
    check_table(decoder.table());
    check_round_trip(pairs, room);
    if (fault) break;
  }
  return 0;
}

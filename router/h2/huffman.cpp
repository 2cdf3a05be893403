// The machine has a state for each inner node of the code's tree, 256 in all, and a row of 16 steps for each state. The
// shortest word has five bits, so four bits end at most one.
#include "router/h2/huffman.hpp"

#include <array>
#include <cstdint>

namespace gray::h2 {

namespace {

constexpr unsigned kSymbols = 257, kEos = 256, kStates = 256, kLongestWord = 30;

// The bits of each symbol's word, by symbol.
constexpr std::array<std::uint8_t, kSymbols> kBits{
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  // 0
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,  // 16
    6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,   // 32
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10,  // 48
    13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   // 64
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,   // 80
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   // 96
    6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28,  // 112
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  // 128
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  // 144
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  // 160
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,  // 176
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  // 192
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,  // 208
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  // 224
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,  // 240
    30};

// Canonical: words of one length follow each other in the order of their symbols, and lengths follow each other.
constexpr auto kWords = [] {
  std::array<std::uint32_t, kSymbols> words{};
  std::uint32_t next = 0;
  for (unsigned bits = 1; bits <= kLongestWord; ++bits) {
    next <<= 1;
    for (unsigned symbol = 0; symbol < kSymbols; ++symbol) {
      if (kBits[symbol] == bits) words[symbol] = next++;
    }
  }
  if (next != 1U << kLongestWord) throw "the code is not complete";
  return words;
}();

struct HuffmanStep {
  std::uint8_t next = 0;    // the state
  std::uint8_t symbol = 0;  // if `writes`
  bool writes = false;
  bool fails = false;  // the word EOS
};

struct Machine {
  std::array<std::array<HuffmanStep, 16>, kStates> steps{};
  std::array<bool, kStates> may_end{};  // fewer than eight bits since the last word, all ones
};

struct HuffmanTree {
  static constexpr int kLeaf = 1000;  // a child from here on is a symbol
  std::array<std::array<int, 2>, kStates> child{};
  std::array<unsigned, kStates> depth{};
  std::array<bool, kStates> ones{};
};

constexpr HuffmanTree make_tree() {
  HuffmanTree tree{};
  tree.ones[0] = true;
  int nodes = 1;
  for (unsigned symbol = 0; symbol < kSymbols; ++symbol) {
    std::size_t at = 0;
    for (unsigned bit = kBits[symbol]; bit-- > 0;) {
      const unsigned turn = kWords[symbol] >> bit & 1;
      int& child = tree.child[at][turn];
      if (bit == 0) {
        child = HuffmanTree::kLeaf + static_cast<int>(symbol);
        break;
      }
      if (child == 0) {
        child = nodes++;
        tree.depth[static_cast<std::size_t>(child)] = tree.depth[at] + 1;
        tree.ones[static_cast<std::size_t>(child)] = tree.ones[at] && turn == 1;
      }
      at = static_cast<std::size_t>(child);
    }
  }
  return tree;
}

constexpr HuffmanStep walk(const HuffmanTree& tree, std::size_t at, unsigned nibble) {
  HuffmanStep step{};
  for (unsigned bit = 4; bit-- > 0;) {
    const int child = tree.child[at][nibble >> bit & 1];
    if (child < HuffmanTree::kLeaf) {
      at = static_cast<std::size_t>(child);
      continue;
    }
    const unsigned symbol = static_cast<unsigned>(child - HuffmanTree::kLeaf);
    if (symbol == kEos) return {0, 0, false, true};
    step.writes = true;
    step.symbol = static_cast<std::uint8_t>(symbol);
    at = 0;
  }
  step.next = static_cast<std::uint8_t>(at);
  return step;
}

constexpr Machine kMachine = [] {
  const HuffmanTree tree = make_tree();
  Machine machine{};
  for (std::size_t state = 0; state < kStates; ++state) {
    machine.may_end[state] = tree.ones[state] && tree.depth[state] < 8;
    for (unsigned nibble = 0; nibble < 16; ++nibble) machine.steps[state][nibble] = walk(tree, state, nibble);
  }
  return machine;
}();

}  // namespace

std::optional<std::size_t> decode_huffman(std::string_view encoded, char* out) {
  const char* const begin = out;
  std::size_t state = 0;
  for (const char c : encoded) {
    const auto byte = static_cast<unsigned char>(c);
    const HuffmanStep& high = kMachine.steps[state][byte >> 4];
    if (high.writes) *out++ = static_cast<char>(high.symbol);
    const HuffmanStep& low = kMachine.steps[high.next][byte & 15];
    if (high.fails || low.fails) return std::nullopt;
    if (low.writes) *out++ = static_cast<char>(low.symbol);
    state = low.next;
  }
  if (!kMachine.may_end[state]) return std::nullopt;
  return static_cast<std::size_t>(out - begin);
}

unsigned huffman_bits(unsigned symbol) { return kBits[symbol]; }
unsigned huffman_word(unsigned symbol) { return kWords[symbol]; }

}  // namespace gray::h2

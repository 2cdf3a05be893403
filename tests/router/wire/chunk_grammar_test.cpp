#include <doctest/doctest.h>

#include "router/wire/chunk_grammar.hpp"

using namespace gray::http;

namespace {

template <class See>
void every_step(const See& see) {
  for (auto state = BodyState::size; state <= BodyState::failed; state = static_cast<BodyState>(int(state) + 1)) {
    for (int c = 0; c < 256; ++c) see(state, static_cast<char>(c), next_body_state(state, static_cast<char>(c)));
  }
}

}  // namespace

TEST_CASE("A line feed is accepted only behind a carriage return") {
  every_step([](BodyState state, char byte, BodyState next) {
    const bool behind_cr = state == BodyState::size_lf || state == BodyState::data_lf ||
                           state == BodyState::trailer_lf || state == BodyState::end_lf;
    if (byte == '\n') CHECK((next != BodyState::failed) == behind_cr);
    if (byte != '\n' && behind_cr) CHECK(next == BodyState::failed);
  });
}

TEST_CASE("No control byte other than CR, LF and tab is ever accepted") {
  every_step([](BodyState, char byte, BodyState next) {
    const bool control = (byte >= 0 && byte < 0x20 && byte != '\r' && byte != '\n' && byte != '\t') || byte == 0x7f;
    if (control) CHECK(next == BodyState::failed);
  });
}

TEST_CASE("The end states and the payload state read no bytes") {
  every_step([](BodyState state, char, BodyState next) {
    const bool closed = state == BodyState::done || state == BodyState::failed || state == BodyState::data;
    if (closed) CHECK(next == BodyState::failed);
  });
}

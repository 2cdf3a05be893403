#include "router/engine/call_stack.hpp"

#include <doctest/doctest.h>

#include <vector>

using gray::engine::CallStack;

namespace {

[[gnu::noinline]] CallStack taken_here() {
  CallStack stack = CallStack::capture();
  asm volatile("" ::: "memory");  // no tail call
  return stack;
}

}  // namespace

TEST_CASE("a stack names the calls that lead to it, the innermost first") {
  const CallStack stack = taken_here();
  REQUIRE(stack.count > 1);
  CHECK(stack.count <= CallStack::kFrames);
  const std::string text = text_of(stack);
  CAPTURE(text);
  CHECK(text.find("taken_here") < text.find(" < "));
  CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("an address without a symbol is an offset") {
  CallStack stack;
  CHECK(text_of(stack).empty());
  stack.frames[0] = 16;
  stack.count = 1;
  CHECK(text_of(stack).find("0x") != std::string::npos);
}

TEST_CASE("two stacks of the same place are equal") {
  std::vector<CallStack> stacks;
  const volatile std::size_t count = 2;  // so that the loop is not unrolled into two places
  while (stacks.size() < count) stacks.push_back(taken_here());
  CHECK(stacks[0] == stacks[1]);
  CHECK_FALSE(stacks[0] == CallStack{});
}

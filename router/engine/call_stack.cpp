#include "router/engine/call_stack.hpp"

#include <backtrace.h>
#include <cxxabi.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace gray::engine {
namespace {

void ignore_error(void*, const char*, int) {}

/// Made once and never freed: the library has no call for that.
backtrace_state* state_of_program() {
  static backtrace_state* const state = ::backtrace_create_state(nullptr, 1, ignore_error, nullptr);
  return state;
}

int add_frame(void* data, std::uintptr_t address) {
  auto& stack = *static_cast<CallStack*>(data);
  if (stack.count < CallStack::kFrames) stack.frames[stack.count++] = address;
  return stack.count == CallStack::kFrames ? 1 : 0;
}

/// "engine::BufferPool::take", without parameters and the namespaces that say nothing.
std::string readable(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  std::string name = status == 0 ? plain.get() : symbol;
  for (const std::string_view part : {"(anonymous namespace)::", "gray::"}) {
    for (std::size_t at; (at = name.find(part)) != std::string::npos;) name.erase(at, part.size());
  }
  return name.substr(0, name.find('('));
}

void set_name(void* data, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
  if (symbol != nullptr) *static_cast<std::string*>(data) = readable(symbol);
}

/// Where the program is loaded.
std::uintptr_t base_of_program() {
  std::uintptr_t base = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        *static_cast<std::uintptr_t*>(data) = info->dlpi_addr;
        return 1;  // the first object is the program
      },
      &base);
  return base;
}

}  // namespace

CallStack CallStack::capture(int skip) {
  CallStack stack;
  if (state_of_program() != nullptr)
    (void)::backtrace_simple(state_of_program(), skip + 1, add_frame, ignore_error, &stack);
  return stack;
}

std::string text_of(const CallStack& stack) {
  std::string text;
  for (std::size_t i = 0; i < stack.count; ++i) {
    std::string name;
    if (state_of_program() != nullptr)
      (void)::backtrace_syminfo(state_of_program(), stack.frames[i], set_name, ignore_error, &name);
    if (name.empty()) {
      char offset[24];
      std::snprintf(offset, sizeof offset, "+0x%zx", static_cast<std::size_t>(stack.frames[i] - base_of_program()));
      name = offset;
    }
    text += (i == 0 ? "" : " < ") + name;
  }
  return text;
}

}  // namespace gray::engine

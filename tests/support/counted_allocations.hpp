#pragma once
// Counts every allocation of a program, for each thread. Included by one source of the program: it replaces operator
// new, or asks the sanitizer, whose operator new it then is.
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GRAY_SANITIZED  // operator new is then the sanitizer's
#include <sanitizer/allocator_interface.h>
#endif
#endif

namespace {
thread_local std::uint64_t allocations = 0;
}
#ifdef GRAY_SANITIZED
[[maybe_unused]] const int counting = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { ++allocations; }, [](const volatile void*) {});
#else
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
// Not inlined: the compiler would warn of free() on memory from operator new.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

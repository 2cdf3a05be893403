#pragma once
// Whether this is a build with a sanitizer, whose run-time library makes system calls of its own: it reads /proc, and
// its leak checker traces the process.
namespace gray {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GRAY_SANITIZED 1
#endif
#endif
#if defined(GRAY_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace gray

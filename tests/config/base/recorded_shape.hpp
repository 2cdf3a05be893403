#pragma once
// Compares the shape of an archive with a digest that a test records beside the number of the format.
#include <doctest/doctest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace gray {

struct RecordedShape {
  unsigned format;       // the number of the format
  std::uint64_t digest;  // of its shape
};

/// `number_is`: the constant and its file, as in "kHandoff in grayd/handoff/handoff.hpp".
inline void check_shape(const nlohmann::json& shape, unsigned format, const RecordedShape& recorded,
                        const std::string& number_is) {
  const std::string text = shape.dump();
  const std::uint64_t digest = XXH3_64bits(text.data(), text.size());
  INFO("the shape: " << text);
  char hex[20];
  std::snprintf(hex, sizeof hex, "0x%016llx", static_cast<unsigned long long>(digest));
  INFO("its number and digest: {" << format << ", " << hex << "}");
  if (digest != recorded.digest && format == recorded.format)
    FAIL_CHECK(
        "A field was added, removed, renamed, or has another type. Programs with the same number could not read "
        "each other: raise "
        << number_is << ", then record the new number and the digest in this test.");
  else if (digest != recorded.digest || format != recorded.format)
    FAIL_CHECK("The number was raised (" << number_is << "): record it and the digest in this test.");
}

}  // namespace gray

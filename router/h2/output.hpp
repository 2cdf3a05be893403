#pragma once
// Where a machine writes its frames: to the end of what its connection sends.
#include <cstddef>
#include <string_view>

namespace gray::h2 {

class Output {
 public:
  /// At least `bound` bytes, valid until commit(). Nothing else is called on it between the two.
  virtual char* room(std::size_t bound) = 0;
  virtual void commit(std::size_t length) = 0;
  /// Payload, which may be large: it need not be copied.
  virtual void append(std::string_view bytes) = 0;
  /// Committed bytes that the socket has not taken yet.
  virtual std::size_t unsent() const = 0;

 protected:
  ~Output() = default;
};

}  // namespace gray::h2

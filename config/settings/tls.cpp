#include "config/settings/tls.hpp"

#include <array>

namespace gray {

const char* name_of(ClientAuth auth) {
  constexpr std::array kNames{"off", "optional", "required"};
  return kNames.at(static_cast<std::size_t>(auth));
}

}  // namespace gray

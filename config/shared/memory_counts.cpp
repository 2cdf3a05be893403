#include "config/shared/memory_counts.hpp"

namespace gray::segment {

const char* name_of(LeakKind kind) {
  switch (kind) {
    case LeakKind::owner_ended: return "owner-ended";
    case LeakKind::too_old: return "too-old";
    case LeakKind::pinned: return "pinned";
    case LeakKind::drained: return "drained";
    case LeakKind::count: break;
  }
  return "";
}

}  // namespace gray::segment

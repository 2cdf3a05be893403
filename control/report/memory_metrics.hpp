#pragma once
// The metrics of the routers' buffers: each size class of each thread, and leaked buffers by kind.
#include <string>

#include "config/shared/segment.hpp"

namespace gray::control {

/// Appends the families in the text format of Prometheus. `thread` is the number of a thread in its router: while two
/// routers overlap, their gauges are added. Classes that a thread never used are left out.
void memory_metrics(std::string& out, const segment::Layout& layout);

}  // namespace gray::control

#include "config/shared/version_view.hpp"

#include <array>

namespace gray {
namespace {

constexpr std::array<std::string_view, kWorkerStates> kWorkerNames = {
    "idle", "spawned", "ready", "healthy", "unhealthy", "draining", "stopping", "exited", "backoff", "failed"};
constexpr std::array<std::string_view, 6> kVersionNames = {"starting", "serving", "dark",
                                                           "draining", "stopped", "failed"};
constexpr std::array<std::string_view, 3> kReplacementNames = {"running", "done", "failed"};

static_assert(static_cast<std::size_t>(WorkerState::failed) + 1 == kWorkerNames.size());
static_assert(static_cast<std::size_t>(VersionState::failed) + 1 == kVersionNames.size());
static_assert(static_cast<std::size_t>(ReplacementState::failed) + 1 == kReplacementNames.size());

}  // namespace

std::string_view name(WorkerState state) { return kWorkerNames[static_cast<std::size_t>(state)]; }
std::string_view name(VersionState state) { return kVersionNames[static_cast<std::size_t>(state)]; }
std::string_view name(ReplacementState state) { return kReplacementNames[static_cast<std::size_t>(state)]; }

}  // namespace gray

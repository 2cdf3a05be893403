#pragma once
// Replaces one image of grayd by the next in the same process, by exec: the old image serialises its state, the new one
// reads it and continues. If the new image cannot read it, it executes the old one again, which reads the same state.
//
//  Invariants: before everything is read, no inherited descriptor is closed and no child is killed; so no partly read
//  object is ever destroyed. Signals are blocked from before the writing until there are handlers after the reading.
#include <functional>
#include <string>
#include <vector>

#include "config/base/archive.hpp"
#include "grayd/process/command_line.hpp"

namespace gray::master {

/// The state that is handed over to the next image.
class HandedOver {
 public:
  virtual ~HandedOver() = default;
  /// Must not change anything.
  virtual void write(Save& to) = 0;
};

/// `config` is the path of the file, `next` the open program. Returns only if it failed, with the phase and the reason;
/// nothing changed then. Outside of every handler of the loop, signals blocked.
std::string hand_over(HandedOver& state, const std::string& config, int next);

/// Calls `read` with the state of the previous image. If it throws, or leaves descriptors unused, the previous image is
/// executed again, and this does not return. Throws if there is no previous image to return to.
void take_over(const ResumeArguments& arguments, const std::function<void(Load& from)>& read);

/// The command line of the next image.
std::vector<std::string> resume_arguments(const ResumeArguments& arguments);

}  // namespace gray::master

#pragma once
// One image of grayd follows another in the same process, by exec: the first writes its state down, the next reads it
// and serves on as if nothing had been. What it cannot read sends it back to the first, which reads the same state.
//
// Invariants: nothing that was inherited is closed, and no child is ended, before everything is read; so nothing that
// is half read is ever destroyed. Signals are held from before the writing until there are handlers after the reading.
#include <functional>
#include <string>
#include <vector>

#include "config/base/archive.hpp"
#include "grayd/process/command_line.hpp"

namespace gray::master {

/// What goes along to the next image.
class HandedOver {
 public:
  virtual ~HandedOver() = default;
  /// Changes nothing.
  virtual void write(Save& to) = 0;
};

/// `config` is the path of the file, `next` the open program. Returns only if it failed, with the phase and why; then
/// all is as before. Outside of every handler of the loop, signals held.
std::string hand_over(HandedOver& state, const std::string& config, int next);

/// Calls `read` with what the image before wrote. What it throws, or leaves of the descriptors, leads back to that
/// image: then this does not return. Without a way back it throws.
void take_over(const ResumeArguments& arguments, const std::function<void(Load& from)>& read);

/// The arguments by which a program follows this one.
std::vector<std::string> resume_arguments(const ResumeArguments& arguments);

}  // namespace gray::master

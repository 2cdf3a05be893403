#pragma once
// What whoever started grayd left of its signals. An ignored SIGCHLD would make children vanish unwaited, a blocked
// SIGTERM would never be heard.

namespace gray::master {

/// Every signal at its default, none blocked. Before any thread or handler is made.
void reset_signals();

}  // namespace gray::master

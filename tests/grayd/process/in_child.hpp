#pragma once
#include <sys/wait.h>
#include <unistd.h>

namespace gray::test {

/// The exit code of a child that returns what `work` returns; -1 if a signal ended it.
template <class Work>
int in_child(Work work) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(work());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace gray::test

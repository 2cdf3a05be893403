#pragma once
// pidfd_open() and pidfd_send_signal() of the C library: the header of glibc 2.36 has no extern "C" of its own.
extern "C" {
#include <sys/pidfd.h>
}

#pragma once
// The failures of handshakes as OpenSSL reports them.
#include "config/shared/handshake_failure.hpp"

namespace gray::tls {

/// Of an error code of OpenSSL (ERR_get_error).
HandshakeFailure failure_of(unsigned long error);

}  // namespace gray::tls

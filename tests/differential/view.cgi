#!/bin/sh
# Answers with what the server in front made of a request: X-View says method and target, the body comes back.
printf 'Content-Type: text/plain\r\nX-View: %s %s\r\n\r\n' "$REQUEST_METHOD" "$REQUEST_URI"
exec cat

#!/usr/bin/env bash
# What the tests need beside Python and Node.js.
set -euo pipefail
. "$(dirname "$0")/install.sh"
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]] || missing+=(nginx)
# Debian keeps PostgreSQL's programs outside the PATH.
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
# What moves clocks is a library.
compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || missing+=(faketime)
((${#missing[@]} == 0)) || install_or_say "${missing[@]}"

#!/usr/bin/env bash
# Prints the first Python that is new enough and can make virtual environments; says what to do where there is none.
set -u
for python in python3.13 python3.12 python3.11 python3; do
  command -v "$python" >/dev/null || continue
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    . "$(dirname "$0")/install.sh"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    install_or_say "python$version-venv" || exit 1
  fi
  echo "$python"
  exit 0
done
echo "Ordercast needs Python 3.11 or newer; install it (Debian 12 and later: apt-get install python3 python3-venv)." >&2
exit 1

"""``python -m ordercast`` is the ``ordercast`` command."""

from ordercast.cli import main

main()

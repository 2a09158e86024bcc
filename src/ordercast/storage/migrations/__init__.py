"""Alembic migrations, run by `ordercast migrate` and at the start on SQLite."""

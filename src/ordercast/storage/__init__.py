"""Where orders and their log live: SQLite beside the process."""

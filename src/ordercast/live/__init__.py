"""Orders over sockets: who joins which room, and how the log reaches them."""

"""The recipe's results, again: the same people at the same orders, once with screens that poll, once with live ones."""

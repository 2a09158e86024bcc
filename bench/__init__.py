"""What Ordercast does per second, beside its peers, each in turn on one core with the load on another."""

"""REST: what a shop's backend, its pages and whoever cannot hold a socket talk to."""

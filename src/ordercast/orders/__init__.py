"""The domain: orders, their workflow, who may do what. Pure: no I/O, no framework."""

"""`ordercast import`: a file of orders, one JSON object a line, into the database."""

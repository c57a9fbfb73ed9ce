"""Speed as ratios: each stage runs a LIMIT and our SUBJECT beside each other and prints how near we come."""

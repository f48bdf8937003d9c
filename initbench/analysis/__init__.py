"""Records -> rows: what replicates can tell of initializers."""

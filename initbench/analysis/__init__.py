"""Records -> rows: what replicates can tell about initializers."""

"""A baseline and fresh runs -> verdicts: what `initbench check` says."""

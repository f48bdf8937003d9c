"""What a network's first weights promise, and why: what `initbench diagnose` says."""

"""Findings of a start -> a verdict in words: what `initbench diagnose` says."""

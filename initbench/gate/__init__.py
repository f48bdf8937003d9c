"""Baseline against candidate -> verdicts: what `initbench check` says."""

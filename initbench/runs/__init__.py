"""Experiments -> runs -> stacks -> records -> store: all that trains, and what it leaves."""

"""Experiments -> Runs -> Stacks -> Records -> store: all that trains, and what it leaves."""

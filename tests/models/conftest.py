"""Without PyTorch nothing here is collected: pytest would import the models for their doctests."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["*.py"]

"""Config files and options -> Experiments; every problem with its place and the fix."""

from initbench.config.loading import all_configs, from_options, load, read_config

__all__ = ["all_configs", "from_options", "load", "read_config"]

"""Config files and options -> Experiments; every problem with its place and the fix."""

from initbench.config.loading import (
    all_configs,
    from_options,
    load,
    located,
    named_configs,
    read_config,
)

__all__ = ["all_configs", "from_options", "load", "located", "named_configs", "read_config"]

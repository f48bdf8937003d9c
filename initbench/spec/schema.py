"""The JSON Schema of a config, with which editors complete and check it."""

from __future__ import annotations

from typing import Any

from initbench.spec.experiment import Experiment


def json_schema(model: type[Experiment] = Experiment) -> dict[str, Any]:
    """The JSON Schema of a config.

    ``name`` is not required there, since the file's name is its default; the network's sizes
    are, in one of their two forms.
    """
    schema = model.model_json_schema()
    schema["required"].remove("name")
    schema["anyOf"] = [{"required": ["layers"]}, {"required": ["width", "depth"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

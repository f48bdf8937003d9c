"""A view -> JSON."""

from __future__ import annotations

from initbench.files import json_text
from initbench.report.views.view import View


def json_view(view: View) -> str:
    """Its document."""
    return json_text(view.document())

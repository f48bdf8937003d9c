"""Pictures -> a figure: all panels of a picture together, as a chart or as a file for a paper."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import pikepdf
import vl_convert

from initbench.report.charts.registry import CHARTS, tables
from initbench.report.charts.style import Size, by_name, config, legend
from initbench.report.views.pictures import Picture

Format = Literal["svg", "png", "pdf"]
#: Points in an inch, the unit of all sizes here.
POINTS = 72.0
#: Dots per inch of a PNG.
DPI = 300
#: The least width of a panel that stands beside others, in points.
NARROW = 76
#: Panels of pictures that have one for each network are square or low; the others are this high.
HEIGHTS = {"curves": 150, "profile": 150, "layers": 120, "sensitivity": 120, "activations": 64}
#: A figure is drawn so often, with another inner width, until the whole has the width asked for.
#: What is then missing (a point or so, or more beside very long names) is scaled.
TRIES = 2
#: The Vega-Lite that Altair writes, by the name that vl-convert gives it: 6.4.
VERSION = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


class Chart(alt.VConcatChart):
    """A chart that a notebook shows without a network.

    Altair's own HTML loads its scripts from one, so that this shows an SVG instead, unless the
    person has enabled a renderer: ``altair.renderers.enable("jupyter")``, say.
    """

    def _repr_mimebundle_(self, *arguments: Any, **options: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*arguments, **options)
        svg = vl_convert.vegalite_to_svg(self.to_dict(), vl_version=VERSION)
        return {"image/svg+xml": svg, "text/plain": repr(self)}


def chart(
    pictures: Sequence[Picture],
    width: float = 468.0,
    *,
    font: str = "Helvetica, Arial, sans-serif",
    font_size: float = 8.0,
) -> Chart:
    """The pictures, one below the other, about ``width`` points wide."""
    together = _chart(pictures, width, width, font, font_size)
    together.datasets = _datasets(pictures)
    return together


def figure(
    pictures: Sequence[Picture],
    form: Format,
    width: float,
    *,
    font: str = "Helvetica, Arial, sans-serif",
    font_size: float = 8.0,
) -> bytes:
    """A file's content: the pictures, one below the other, exactly ``width`` points wide.

    An SVG and a PDF hold shapes and text, and a boundary's shades as an image. A PNG has DPI dots
    per inch.
    """
    inner, datasets = width, _datasets(pictures)
    for _ in range(TRIES):
        spec = _chart(pictures, width, inner, font, font_size).to_dict()
        spec["datasets"] = datasets  # Altair would validate every number
        svg = vl_convert.vegalite_to_svg(spec, vl_version=VERSION)
        measured = _width(svg)
        if abs(measured - width) < 0.5:
            break
        inner += width - measured
    svg = _resized(svg, width)
    if form == "svg":
        return re.sub(
            r'(<svg[^>]*? width="[^"]+)("[^>]*? height="[^"]+)', r"\1pt\2pt", svg, count=1
        ).encode()
    if form == "png":
        return bytes(vl_convert.svg_to_png(svg, ppi=DPI))
    return _settled(vl_convert.svg_to_pdf(svg))


def _settled(pdf: bytes) -> bytes:
    """The PDF with its objects in one order: vl-convert numbers them anew in each process."""
    content = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.save(content, deterministic_id=True)
    return content.getvalue()


def _chart(
    pictures: Sequence[Picture], width: float, inner: float, font: str, font_size: float
) -> Chart:
    """``inner`` is what the panels of a row and their axes share."""
    parts = [
        _part(picture, f"{number}_", width, inner, font_size, titled=len(pictures) > 1)
        for number, picture in enumerate(pictures)
    ]
    together: Chart = Chart(vconcat=parts).configure(**config(font, font_size, width))
    return together


def _datasets(pictures: Sequence[Picture]) -> dict[str, Any]:
    return {
        f"{number}_{name}": rows
        for number, picture in enumerate(pictures)
        for name, rows in tables(picture).items()
    }


def _part(
    picture: Picture, prefix: str, width: float, inner: float, font_size: float, *, titled: bool
) -> alt.ConcatChart:
    columns = _columns(picture, width)
    axis = 46 if picture.kind in HEIGHTS else 30
    panel = max(20, round((inner - columns * axis) / columns))
    side = panel if picture.kind == "boundary" else HEIGHTS.get(picture.kind, panel // 2)
    size = Size(panel, side)
    panels = CHARTS[picture.kind](
        picture,
        by_name(prefix),
        size,
        legend(picture.series, width, font_size),
    )
    charts = [
        panel.chart.properties(title=alt.Title(panel.key, limit=max(20, width / columns - 6)))
        if _titled(picture)
        else panel.chart
        for panel in panels
    ]
    options = {"title": alt.Title(picture.title, limit=width - 6)} if titled else {}
    return alt.concat(*charts, columns=columns, **options)


def _titled(picture: Picture) -> bool:
    """Whether each panel is another network's."""
    return picture.kind in ("boundary", "activations", "weights")


def _columns(picture: Picture, width: float) -> int:
    if picture.kind == "layers":
        return 2 if width > 300 else 1
    if _titled(picture):
        return max(1, min(4, int(width // (NARROW + 30)), _panel_count(picture)))
    return 1


def _panel_count(picture: Picture) -> int:
    return len(picture.facts.get("panels", picture.facts.get("names", picture.series)))


def _width(svg: str) -> float:
    found = re.search(r'<svg[^>]* width="([\d.]+)"', svg)
    assert found is not None
    return float(found[1])


def _resized(svg: str, width: float) -> str:
    """The SVG with another outer width, and its height in proportion."""
    measured = _width(svg)
    height = re.search(r'<svg[^>]* height="([\d.]+)"', svg)
    assert height is not None
    scaled = float(height[1]) * width / measured
    return re.sub(
        r'(<svg[^>]*? width=")[^"]+("[^>]*? height=")[^"]+',
        rf"\g<1>{width:.2f}\g<2>{scaled:.2f}",
        svg,
        count=1,
    )

"""The pictures of the training report, as SVG that needs nothing from anywhere."""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# One colour and one line style for each ranking, told apart without colours too.
_STYLES: Final = {
    "model": ("#0b6bcb", "-"),
    "rules": ("#b4541a", "--"),
    "logistic": ("#5b7f2b", "-."),
    "champion": ("#7a4fa3", ":"),
    "oracle": ("#666666", (0, (1, 1))),
}
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.hashsalt": "pacc",
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def lines(
    curves: Mapping[str, Sequence[Sequence[float]]], across: str, up: str, *, diagonal: str = ""
) -> str:
    """Draw one line for each name, over points that begin with (x, y)."""
    with mpl.rc_context(_SETTINGS):
        figure, axes = _empty(across, up)
        if diagonal:
            axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, label=diagonal)
        for name, points in curves.items():
            colour, style = _STYLES.get(name, _STYLES["model"])
            marker = "o" if len(points) <= 10 else ""  # noqa: PLR2004 - few points are shown as points
            axes.plot(
                [p[0] for p in points],
                [p[1] for p in points],
                color=colour,
                linestyle=style,
                marker=marker,
                markersize=3,
                label=name,
            )
        if curves:
            axes.legend(frameon=False)
        return _image(figure)


def bars(mix: Mapping[str, Mapping[str, float]]) -> str:
    """Draw one bar for each name, divided by priority."""
    colours = {"normal": "#b9c4cf", "high": "#e0a33a", "urgent": "#c2362b"}
    with mpl.rc_context(_SETTINGS):
        figure, axes = _empty("share of cases", "")
        for place, shares in enumerate(mix.values()):
            left = 0.0
            for level, share in shares.items():
                axes.barh(
                    place,
                    share,
                    left=left,
                    color=colours[level],
                    label=level if place == 0 else None,
                )
                left += share
        axes.set_yticks(range(len(mix)), list(mix))
        axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.15))
        return _image(figure)


def _empty(across: str, up: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure, axes


def _image(figure: Figure) -> str:
    """Return the picture as an address that holds it; its background is white in any light."""
    buffer = io.BytesIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=no_metadata)
    drawn = re.sub(rb"<!DOCTYPE[^>]*>", b"", buffer.getvalue())  # it names an address
    return "data:image/svg+xml;base64," + base64.b64encode(drawn).decode()

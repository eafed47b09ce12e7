"""Pictures of one object: an estimator's card, spectra, training curves, a comparison, a confusion matrix.

Every function draws from the live object and returns a matplotlib `Figure`; nothing is shown, no global
state is touched. `svg` makes it text whose ink follows the page's colour; `save` writes a file.
"""

from __future__ import annotations

import html
import io
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, Curve
from bnn_ref.files import replacing
from bnn_ref.parameter import Array
from bnn_ref.pose.joints import JOINTS, SKELETON
from bnn_ref.spectra import spectrum
from bnn_ref.train import Comparison, History

INK = "#1b1b1f"
PALETTE = (
    "#3b82c4", "#d9772b", "#3f9e5a", "#c94f4f", "#8a63c9", "#9a6b4f",
    "#c760a8", "#7d8590", "#a59a1e", "#2ba3b0", "#5b6fd6", "#b0803a",
)  # fmt: skip
"""Mid tones: they read on white and on near-black."""
DPI = 150
DASHES = ("-", "--", "-.", ":")
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#8888884d",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "bnn_ref",
}


def figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, with its own canvas."""
    fig = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(fig)
    return fig


def card(binarizer: str | Binarizer, reach: float | None = None) -> Figure:
    """F, T, T' and |H| of one estimator, two by two.

    One that is no function of one element is bound to 64 channels and drawn as points: what each element of
    random vectors becomes, and the slope of T to that element itself.

    Parameters
    ----------
    binarizer : str or Binarizer
    reach : float, optional
        Half width of the drawn interval of x; a little more than the window by default.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    b = estimators.get(binarizer) if isinstance(binarizer, str) else binarizer
    support = b.surrogate.support if isinstance(b.surrogate, Curve) else 1.0
    reach = reach or (1.6 * support if np.isfinite(support) else 2.0)
    with matplotlib.rc_context(STYLE):
        fig = figure(6.4, 4.6)
        axes = fig.subplots(2, 2)
        if isinstance(b.surrogate, Curve) and not b.reduces:
            _draw(axes[0, 0], b.forward, reach, "F(x), the forward value", PALETTE[0])
            _draw(axes[0, 1], b.surrogate, reach, "T(x), the surrogate", PALETTE[1])
            _draw_slope(axes[1, 0], b.surrogate, reach)
            _draw_gain(axes[1, 1], b)
        else:
            _draw_points(axes, b, reach)
    return fig


def _draw_points(axes: Any, binarizer: Binarizer, reach: float) -> None:
    """Vectors with elements uniform on the interval: their images, and the diagonal of T's Jacobian."""
    channels = 64
    rng = np.random.default_rng(0)
    x = rng.uniform(-reach, reach, (1500, channels))
    bound = binarizer.bind(x.shape if binarizer.reduces else (channels,), -1, rng)
    assert isinstance(bound, Binarizer)
    one = np.zeros_like(x)
    one[:, 0] = 1
    slope = bound.surrogate.vjp(x, one)
    shown = [
        (axes[0, 0], bound.forward(x), "F(x), the forward value", PALETTE[0]),
        (axes[1, 0], slope, "gradient to the element itself, of dy = 1", PALETTE[2]),
    ]
    if bound.nonlinear():
        _say(axes[0, 1], "T(x), the surrogate", "none: the gradient is\nnot linear in dy")
        _say(axes[1, 1], "|H(ω)|, the filter", "no T, no filter")
    else:
        shown.append((axes[0, 1], bound.surrogate(x), "T(x), the surrogate", PALETTE[1]))
        _say(axes[1, 1], "|H(ω)|, the filter", "T is no function of one element:\nno filter of its own")
    for ax, y, title, color in shown:
        ax.plot(x[:, 0], y[:, 0], ".", color=color, markersize=2, rasterized=True)
        ax.set_title(title, loc="left")
        ax.set_xlabel("x, one element of a random vector")


def _say(ax: Axes, title: str, text: str) -> None:
    """Why there is no such curve, in its place."""
    ax.set_title(title, loc="left")
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
    ax.set(xticks=[], yticks=[])


def _branches(function: Any, reach: float) -> list[Array]:
    """Intervals between the kinks, so that no line is drawn across a jump."""
    kinks = [k for k in (function.kinks if isinstance(function, Curve) else ()) if abs(k) < reach]
    edges = [-reach, *kinks, reach]
    inner = [np.linspace(a, b, 400) for a, b in itertools.pairwise(edges)]
    return [np.clip(x, np.nextafter(x[0], np.inf), np.nextafter(x[-1], -np.inf)) for x in inner]


def _draw(ax: Axes, function: Any, reach: float, title: str, color: str) -> None:
    for x in _branches(function, reach):
        ax.plot(x, function(x), color=color)
    ax.set_title(title, loc="left")
    ax.set_xlabel("x")


def _draw_slope(ax: Axes, curve: Curve, reach: float) -> None:
    for x in _branches(curve, reach):
        slope = curve.derivative(x)
        ax.plot(x, slope, color=PALETTE[2])
        ax.fill_between(x, slope, color=PALETTE[2], alpha=0.15, linewidth=0)
    kinks = np.array([k for k in curve.kinks if abs(k) < reach])
    if kinks.size:
        ax.plot(kinks, curve.derivative(kinks), "o", color=PALETTE[2], markersize=4)
    ax.set_title("T'(x), what multiplies the gradient", loc="left")
    ax.set_xlabel("x")


def _draw_gain(ax: Axes, binarizer: Binarizer) -> None:
    """|H| over angular frequency, or the lines of a periodic T, or why there is neither."""
    found = spectrum(binarizer)
    ax.set_title("|H(ω)|, the filter", loc="left")
    if found.lines:
        ax.vlines([k.harmonic for k in found.lines], 0, [k.ratio for k in found.lines], color=PALETTE[4])
        ax.set_xlabel("harmonic (ratio to the square wave)")
        return
    w = np.linspace(0, 20, 501)
    try:
        gain = np.abs(found.gain(w))
    except ValueError:
        _say(ax, "|H(ω)|, the filter", "no transform:\nthe slope never falls off")
        return
    ax.plot(w, gain, color=PALETTE[4])
    ax.set_xlabel("ω (rad per unit of x)")
    ax.set_ylim(bottom=0)


def spectra(names: Sequence[str], limit: float = 16.0) -> Figure:
    """|H| of several estimators on one axis; those without a transform are left out of the lines.

    Parameters
    ----------
    names : sequence of str
        Of the table.
    limit : float
        Largest angular frequency, radians per unit of x.
    """
    w = np.linspace(0, limit, 601)
    with matplotlib.rc_context(STYLE):
        fig = figure(6.4, 4.4)
        ax = fig.subplots()
        for i, name in enumerate(names):
            try:
                gain = np.abs(spectrum(name).gain(w))
            except ValueError:
                continue
            ax.plot(w, gain, DASHES[i % len(DASHES)], color=PALETTE[i % len(PALETTE)], label=name)
        ax.set(xlabel="ω (rad per unit of x)", ylabel="|H(ω)|")
        ax.set_ylim(bottom=0)
        fig.legend(loc="outside lower center", ncols=3)
    return fig


def histories(runs: Mapping[str, Sequence[History]]) -> Figure:
    """Test accuracy over epochs: the mean of each group of runs, in percent.

    Parameters
    ----------
    runs : mapping of str to sequence of History
        Runs of one label (seeds) are averaged.
    """
    with matplotlib.rc_context(STYLE):
        fig = figure(6.4, 4.4)
        ax = fig.subplots()
        for i, (label, group) in enumerate(runs.items()):
            accuracy = 100 * np.mean([[epoch.test_accuracy for epoch in run] for run in group], axis=0)
            epochs = np.arange(1, len(accuracy) + 1)
            style = DASHES[i % len(DASHES)]
            ax.plot(epochs, accuracy, style, color=PALETTE[i % len(PALETTE)], label=label, linewidth=1.4)
        ax.set(xlabel="epoch", ylabel=f"test {_measure(runs)} (%)")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        fig.legend(loc="outside lower center", ncols=3)
    return fig


def slopes(runs: Mapping[str, Sequence[History]]) -> Figure:
    """The slope at 0 of every trained surrogate, before the first step and after each epoch.

    A line a surrogate of a run, a colour a label. Where it is negative, training climbs.

    Parameters
    ----------
    runs : mapping of str to sequence of History
        Labels whose histories hold no slopes are left out. Histories of older files do not say what they
        began with: their lines begin after an epoch.
    """
    shown = {label: group for label, group in runs.items() if any(e.slopes for run in group for e in run)}
    with matplotlib.rc_context(STYLE):
        fig = figure(6.4, 3.8)
        ax = fig.subplots()
        for i, (label, group) in enumerate(shown.items()):
            y = np.array([_path(run, key) for run in group for key in run[0].slopes]).T
            style = DASHES[i % len(DASHES)], PALETTE[i % len(PALETTE)]
            drawn = ax.plot(y, style[0], color=style[1], linewidth=1.2)
            drawn[0].set_label(label)
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set(xlabel="epoch", ylabel="slope of T at 0")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        fig.legend(loc="outside lower center", ncols=3)
    return fig


def _path(run: History, key: str) -> list[float]:
    """A surrogate's slope before the first step, NaN where that is not known, and after every epoch."""
    return [run[0].slopes_before.get(key, np.nan), *(epoch.slopes[key] for epoch in run)]


def _measure(runs: Mapping[str, Sequence[History]]) -> str:
    """What was measured of all of them."""
    return " or ".join(sorted({epoch.measure for group in runs.values() for run in group for epoch in run}))


def comparison(result: Comparison) -> Figure:
    """Final test accuracy of every arm: each run a dot, the mean a bar, best on top.

    An arm of which a run diverged has no mean, and stands at the bottom.
    """
    rows = result.ranking[::-1]
    with matplotlib.rc_context(STYLE):
        fig = figure(6.4, 0.8 + 0.32 * len(rows))
        ax = fig.subplots()
        for y, row in enumerate(rows):
            values = 100 * np.array([value for value in row.values if value is not None])
            ax.plot(values, np.full(len(values), y), "o", color=PALETTE[0], alpha=0.55, markersize=5)
            means = [] if row.mean is None else [100 * row.mean]
            ax.plot(means, [y] * len(means), "|", color=PALETTE[1], markersize=14, markeredgewidth=2.5)
        labels = [f"{row.arm} (diverged)" if row.mean is None else row.arm for row in rows]
        ax.set_yticks(range(len(rows)), labels)
        ax.set_xlabel("test accuracy (%): dots are runs, bars are means")
        ax.grid(axis="y", visible=False)
    return fig


def confusion(matrix: Array, classes: Sequence[str]) -> Figure:
    """Counts of true class (rows) against predicted class (columns).

    Parameters
    ----------
    matrix : array (classes, classes) of int
    classes : sequence of str
    """
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        size = 1.6 + 0.42 * len(classes)
        fig = figure(size, size)
        ax = fig.subplots()
        ax.pcolormesh(share, cmap="Blues", vmin=0, vmax=1, edgecolors="#8888884d", linewidth=0.5)
        for (i, j), count in np.ndenumerate(matrix):
            if count:
                ink = "#ffffff" if share[i, j] > 0.5 else "#20242a"
                ax.text(j + 0.5, i + 0.5, str(count), ha="center", va="center", color=ink, fontsize=8)
        ticks = np.arange(len(classes)) + 0.5
        ax.set_xticks(ticks, list(classes), rotation=45 if max(map(len, classes)) > 2 else 0)
        ax.set_yticks(ticks, list(classes))
        ax.invert_yaxis()
        ax.set(xlabel="predicted", ylabel="true", aspect="equal")
    return fig


def poses(image: Array, keypoints: Array, threshold: float = 0.2) -> Figure:
    """Skeletons on an image, as large as it, small ones enlarged.

    Blue is the person's left, orange the right, green what joins both.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    keypoints : array (M, 17, 3)
        x, y in pixels, and the joint's score or visibility.
    threshold : float
        Joints with less, and limbs that end in one, are left out.
    """
    height, width = image.shape[:2]
    zoom = max(1, 480 / max(height, width))
    fig = Figure(figsize=(width * zoom / DPI, height * zoom / DPI))
    FigureCanvasAgg(fig)
    ax = fig.add_axes((0, 0, 1, 1), frame_on=False)
    ax.imshow(image, interpolation="nearest")
    for points in keypoints:
        skeleton(ax, points, points[:, 2] > threshold, max(1.2, zoom * max(height, width) / 300))
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])
    return fig


def skeleton(ax: Axes, points: Array, shown: Array, thick: float) -> None:
    """Limbs and joints of one person, with a white rim against any background; `thick` in points.

    Colours as in `poses`; `points` (17, 2 or more), `shown` bool (17,): which joints.
    """
    rim = [patheffects.withStroke(linewidth=1.8 * thick, foreground="white")]
    for limb in SKELETON:
        if shown[list(limb)].all():
            x, y = points[list(limb), :2].T
            ax.plot(x, y, color=_side(limb), linewidth=thick, path_effects=rim, solid_capstyle="round")
    (those,) = np.nonzero(shown)
    colours = [_side((joint,)) for joint in those.tolist()]
    x, y = points[those, :2].T
    ax.scatter(x, y, s=(2 * thick) ** 2, c=colours, edgecolors="white", zorder=3)


def _side(joints: tuple[int, ...]) -> str:
    """The colour of what is on one side, or joins both."""
    sides = {JOINTS[joint].partition("_")[0] for joint in joints} - {"nose"}
    return {frozenset({"left"}): PALETTE[0], frozenset({"right"}): PALETTE[1]}.get(
        frozenset(sides), PALETTE[2]
    )


def svg(fig: Figure, alt: str) -> str:
    """The figure as an SVG element with an alternative text; its ink is `currentColor`, the page's own."""
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        fig.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    label = f'<svg role="img" aria-label="{html.escape(alt, quote=True)}" '
    return text[text.index("<svg") :].replace(INK, "currentColor").replace("<svg ", label, 1)


def save(fig: Figure, path: str | Path) -> Path:
    """Write a figure (the suffix says how: .png, .svg, .pdf), under a temporary name first.

    Raises
    ------
    ValueError
        For a suffix that cannot be written.
    FileNotFoundError
        When the folder does not exist.
    """
    path = Path(path)
    kinds = fig.canvas.get_supported_filetypes()
    if path.suffix[1:] not in kinds:
        raise ValueError(f"path: required a suffix among {', '.join(sorted(kinds))}; got {path.name!r}")
    undated: Any = {"metadata": {"Date": None}} if path.suffix == ".svg" else {}
    with replacing(path) as temporary, matplotlib.rc_context({**STYLE, "savefig.transparent": False}):
        fig.savefig(temporary, dpi=DPI, facecolor="white", **undated)
    return path

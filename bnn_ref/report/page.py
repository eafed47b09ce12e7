"""Findings as HTML: pictures inline, no script, nothing fetched."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
import scipy
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bnn_ref import estimators, models, plot
from bnn_ref.auditing import judge
from bnn_ref.binarizer import Curve
from bnn_ref.files import replacing
from bnn_ref.papers import PAPERS
from bnn_ref.report.findings import Findings
from bnn_ref.spectra import spectrum
from bnn_ref.train import Comparison, History


def render(findings: Findings) -> str:
    """The page, complete: one string."""
    environment = Environment(
        loader=PackageLoader("bnn_ref.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: "–" if share is None else f"{100 * share:.2f}"
    environment.filters["signed"] = lambda share: "–" if share is None else f"{100 * share:+.2f}"
    environment.filters["number"] = _number
    return environment.get_template("page.html").render(
        findings=findings,
        worst=_worst(findings),
        plan=findings.plan,
        real=models.REAL,
        falling={arm: _falling(findings.learned, arm) for arm in findings.learned.arms},
        gaps={gap.arm: gap for gap in findings.comparison.differences},
        cards=[_card(findings, name) for name in findings.plan.binary],
        pictures=_pictures(findings),
        versions=_versions(),
        command=_command(findings),
    )


def _worst(findings: Findings) -> dict[str, float]:
    """The largest error of the float64 gradients in the network, per estimator; of all checks without a T."""
    worst = {}
    for name, _, network in findings.audits:
        whole = [check.error for check in network.checks if check.name.startswith("gradient to")]
        worst[name] = max(whole or [check.error for check in network.checks])
    return worst


def write(page: str, path: Path) -> None:
    """Put the page at `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _svg(figure: Any, alt: str) -> Markup:
    return Markup(plot.svg(figure, alt))


def _card(findings: Findings, name: str) -> dict[str, Any]:
    binarizer, line = estimators.get(name), estimators.entry(name)
    surrogate = binarizer.surrogate
    curve = surrogate if isinstance(surrogate, Curve) else None
    formula = line.make.__doc__ if curve is None else type(curve).__doc__
    return {
        "name": name,
        "about": line.about,
        "paper": PAPERS[line.paper],
        "formula": (formula or "").split("\n\n")[0],
        "surrogate": surrogate,
        "criterion": judge(binarizer)["verdict"],
        "peak": None if curve is None else curve.peak,
        "support": None if curve is None else curve.support,
        "distance": findings.distances[name] or (None, None),
        "gain_at_0": _gain_at_zero(name),
        "picture": _svg(plot.card(binarizer), f"{name}: F, T, its slope and the modulus of its spectrum"),
    }


def _gain_at_zero(name: str) -> float | None:
    try:
        return float(spectrum(name).gain(0.0).real)
    except ValueError:
        return None


def _pictures(findings: Findings) -> dict[str, Markup]:
    plan, result = findings.plan, findings.comparison
    groups, learned = _histories(result), _histories(findings.learned)
    best = findings.packings[0]
    slopes = "slope at 0 of every trained surrogate, before and while training, a line a run; among them"
    return {
        "slopes": _svg(plot.slopes({**groups, **learned}), f"{slopes} {', '.join(learned)}"),
        "spectra": _svg(plot.spectra(plan.binary), "|H| over angular frequency, all estimators"),
        "comparison": _svg(plot.comparison(result), "test accuracy of every run and the means"),
        "histories": _svg(plot.histories(groups), "mean test accuracy over epochs, by estimator"),
        "confusion": _svg(
            plot.confusion(best.confusion, findings.dataset.classes),
            f"confusion matrix of the packed {best.model}",
        ),
    }


def _histories(result: Comparison) -> dict[str, list[History]]:
    """Of the arms whose runs all ended."""
    ended = [row.arm for row in result.summaries if row.mean is not None]
    return {arm: [run.history for run in result.runs_of(arm)] for arm in ended}


def _falling(result: Comparison, arm: str) -> int:
    """How many runs ended with a slope below 0."""
    last = (run.history[-1].slopes for run in result.runs_of(arm) if len(run.history))
    return sum(min(slopes.values()) < 0 for slopes in last)


def _versions() -> dict[str, str]:
    return {
        "bnn_ref": metadata.version("bnn-ref"),
        "Python": sys.version.split()[0],
        "NumPy": np.__version__,
        "Numba": numba.__version__,
        "SciPy": scipy.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "CPU": _cpu(),
    }


def _cpu() -> str:
    features = llvm.get_host_cpu_features()
    known = ("avx2", "avx512f", "avx512vpopcntdq", "neon")
    found = ", ".join(name for name in known if features.get(name))
    return f"{llvm.get_host_cpu_name()} ({found or 'no vector extension of note'})"


def _command(findings: Findings) -> str:
    plan = findings.plan
    limit = "" if plan.limit is None else f" --limit {plan.limit}"
    names = ",".join(plan.estimators)
    return (
        f"bnn-ref report --data {plan.data} --estimators {names} --seeds {plan.seeds} "
        f"--epochs {plan.epochs} --jobs {plan.jobs}{limit}"
    )


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return "∞" if np.isinf(value) else f"{value:.6g}"

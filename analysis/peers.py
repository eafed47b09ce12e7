"""Generic gradient checkers, each asked the same question: is this backward of sign right?

Every checker gets the operation as its own users would write it, at points where sign is smooth: well away
from 0 and from the edges of the clip, so that no answer rests on a convention.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeAlias

import numpy as np
from scipy.optimize import check_grad

from bnn_ref.auditing import audit_operation
from bnn_ref.parameter import Array

Slope: TypeAlias = Callable[[Any, Any], Any]

SEED = 0
POINTS = 15
SMALL = 1e-6
"""An error norm up to which `check_grad`, which returns one, counts as accepting."""


def base_point() -> Array:
    """Where the operations are checked: (15,), 0.1 <= abs(x) <= 0.9, inside the clip."""
    rng = np.random.default_rng(SEED)
    return rng.uniform(0.1, 0.9, POINTS) * rng.choice([-1.0, 1.0], POINTS)


def sign(xp: Any, x: Any) -> Any:
    """The forward pass, for any array library `xp`."""
    return xp.where(x >= 0, xp.ones_like(x), -xp.ones_like(x))


def clipped(xp: Any, x: Any) -> Any:
    """The slope of the clipped straight-through estimator, the right one: 1 where abs(x) <= 1."""
    return xp.where(abs(x) <= 1, xp.ones_like(x), xp.zeros_like(x))


def dead(xp: Any, x: Any) -> Any:
    """The slope of a backward that returns zeros: nothing behind it learns."""
    return xp.zeros_like(x)


@dataclass(frozen=True)
class Verdict:
    """What a checker said of one operation: whether it accepted it, and in which words or number."""

    accepts: bool
    says: str


@dataclass(frozen=True)
class Peer:
    """A gradient checker.

    Attributes
    ----------
    name : str
        As its users import it.
    module : str
        What must be installed.
    ask : callable
        (module, slope) to a verdict.
    """

    name: str
    module: str
    ask: Callable[[Any, Slope], Verdict]


def _scipy(_: Any, slope: Slope) -> Verdict:
    def total(x: Array) -> float:
        return float(sign(np, x).sum())

    def gradient(x: Array) -> Array:
        return np.asarray(slope(np, x))

    error = float(check_grad(total, gradient, base_point()))
    return Verdict(error <= SMALL, f"error norm {error:.4g}")


def _torch(torch: Any, slope: Slope) -> Verdict:
    class Operation(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return sign(torch, x)

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * slope(torch, ctx.saved_tensors[0])

    x = torch.tensor(base_point(), requires_grad=True)
    return _raises(lambda: torch.autograd.gradcheck(Operation.apply, (x,)), "returns True")


def _jax(jax: Any, slope: Slope) -> Verdict:
    numpy, check = jax.numpy, importlib.import_module("jax.test_util").check_grads
    operation = jax.custom_vjp(lambda x: sign(numpy, x))
    operation.defvjp(lambda x: (sign(numpy, x), x), lambda x, dy: (dy * slope(numpy, x),))
    x = numpy.asarray(base_point(), numpy.float32)
    return _raises(lambda: check(operation, (x,), order=1, modes=("rev",)), "returns")


def _autograd(autograd: Any, slope: Slope) -> Verdict:
    check = importlib.import_module("autograd.test_util").check_grads
    extend = importlib.import_module("autograd.extend")

    @extend.primitive  # type: ignore[untyped-decorator]
    def operation(x: Array) -> Array:
        return np.asarray(sign(np, x))

    extend.defvjp(operation, lambda y, x: lambda dy: dy * slope(np, x))
    return _raises(lambda: check(operation, modes=("rev",), order=1)(base_point()), "returns")


def _raises(run: Callable[[], Any], otherwise: str) -> Verdict:
    """Accepted unless the checker raises; it says the first line of its error."""
    try:
        run()
    except (AssertionError, RuntimeError, ValueError) as error:
        first = re.split(r",| with arg|\n", str(error).strip())[0]  # what follows are the numbers
        return Verdict(False, f"raises {type(error).__name__}: {first}")
    return Verdict(True, otherwise)


def _audit(_: Any, slope: Slope) -> Verdict:
    report = audit_operation(
        lambda x: np.where(np.isnan(x), x, sign(np, x)), lambda x, dy: slope(np, x) * dy, "clipped-ste"
    )
    failed = [check.name for check in report.failures]
    checks = f"fails: {', '.join(failed)}" if failed else f"passes {len(report.checks)} checks"
    return Verdict(report.passed, f"{report.verdict}; {checks}")


PEERS: tuple[Peer, ...] = (
    Peer("scipy.optimize.check_grad", "scipy", _scipy),
    Peer("torch.autograd.gradcheck", "torch", _torch),
    Peer("jax.test_util.check_grads", "jax", _jax),
    Peer("autograd.test_util.check_grads", "autograd", _autograd),
    Peer("bnn_ref.audit_operation", "bnn_ref", _audit),
)


def installed(name: str) -> tuple[Any, str] | None:
    """The module of that name and its version without build tag, or None where it is not installed."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    # autograd has no __version__; a package that is only on the path has no metadata
    own = getattr(module, "__version__", None)
    return module, (own or version(name)).split("+")[0]

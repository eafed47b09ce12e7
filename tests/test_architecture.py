"""The structure is a promise: one total order of imports, one matplotlib import, nothing unpickled."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = (
    *("parameter", "checks", "files", "timing", "papers", "kernels", "basepoint", "annealing", "maps"),
    *(
        "curve",
        "calculus",
        "binarizer",
        "estimators",
        "autodiff",
        "layers",
        "models",
        "optim",
        "data",
        "pose",
    ),
    *("packed", "cost", "train", "spectra", "auditing", "testing", "plot", "report", "cli"),
)
MODULES = sorted((ROOT / "bnn_ref").rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(module: str) -> str | None:
    """The part of the package that a dotted name belongs to, or None outside of it."""
    names = module.split(".")
    return names[1] if names[0] == "bnn_ref" and len(names) > 1 and names[1] in ORDER else None


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_left(path: Path) -> None:
    own = path.relative_to(ROOT / "bnn_ref").parts[0].removesuffix(".py")
    if own == "__init__" or own == "__main__":
        return
    assert own in ORDER, f"{own} has no place in the order"
    later = {name for name in map(part, imported(path)) if name and ORDER.index(name) > ORDER.index(own)}
    assert not later, f"{own} imports {later}, which stands to its right"


def test_order_is_broken_by_a_wrong_import(tmp_path: Path) -> None:
    wrong = tmp_path / "kernels.py"
    wrong.write_text("def f():\n    from bnn_ref import layers\n")
    assert "layers" in {part(name) for name in imported(wrong)}


@pytest.mark.parametrize(
    ("folder", "forbidden"), [("bnn_ref", {"analysis", "figures"}), ("analysis", {"figures"})]
)
def test_package_does_not_import_its_users(folder: str, forbidden: set[str]) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & forbidden, path


def test_matplotlib_is_imported_in_one_place() -> None:
    users = {p.name for p in MODULES if any(name.startswith("matplotlib") for name in imported(p))}
    assert users == {"plot.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unpickled_and_no_generator_is_global(path: Path) -> None:
    assert not {"pickle", "marshal", "shelve", "random"} & set(imported(path))
    text = path.read_text()
    assert "allow_pickle=True" not in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            dotted = f"{getattr(node.value.value, 'id', '')}.{node.value.attr}.{node.attr}"
            allowed = ("default_rng", "Generator", "PCG64", "SeedSequence", "BitGenerator")
            assert not dotted.startswith("np.random.") or node.attr in allowed, dotted


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_things_are_documented(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path}: no module docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}: {node.name} has no docstring"

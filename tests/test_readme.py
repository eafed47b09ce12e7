"""The README's Python runs as it stands, and says what its comments say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.S)


def test_the_examples_run_one_after_another() -> None:
    names: dict[str, Any] = {}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for block in BLOCKS:
            exec(compile(block, "README.md", "exec"), names)
    assert len(BLOCKS) >= 3
    for promised in re.findall(r"print\(.*\)\s+# (.*)", "".join(BLOCKS)):
        assert promised in out.getvalue()


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_its_links_lead_somewhere(link: str) -> None:
    assert link.startswith("https://") or (Path(__file__).parents[1] / link).exists()


def test_it_lists_every_estimator_and_the_size_of_the_list_of_wrong_things() -> None:
    from bnn_ref import estimators
    from bnn_ref.auditing.broken import BROKEN

    assert all(f"`{name}`" in README for name in estimators.names())
    assert f"{len(BROKEN)} wrong estimators, layers and networks" in " ".join(README.split())

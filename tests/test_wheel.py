"""The wheel ships bnn_ref, all of it, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"bnn_ref"}
    shipped = {name for name in names if name.startswith("bnn_ref/")}
    tracked = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "bnn_ref").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped == tracked
    assert {"bnn_ref/py.typed", "bnn_ref/data/digits.csv.gz", "bnn_ref/report/templates/page.html"} <= shipped

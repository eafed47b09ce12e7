"""What a trained network finds goes on record as `pose predict` would find it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.pose import shown, task
from analysis.tables import RESULTS, read
from bnn_ref import pose
from bnn_ref.models import build
from bnn_ref.train import Config, Poses, fit, save_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("shown") / "net.safetensors"
    work = Poses.drawn(4, 1, 0, pose.View((32, 32), 1.0, exact=True))
    config = Config(1, 4, loss="heatmap")
    model = build("sbpn", input_shape=work.shape, classes=17, width=1)
    history = fit(model, work, config)
    save_model(path, model, work.preprocessing, work.outputs, history, config, data=work.describe())
    return path


def test_joints_of_the_pictures_to_test_by(trained: Path, tmp_path: Path) -> None:
    assert shown.main([str(trained), "--pictures", "2", "--out", str(tmp_path)]) == 0
    table = read(tmp_path / "pose-shown.csv")
    assert table.column("picture") == ("1",) * 17 + ("2",) * 17
    assert table.column("joint") == pose.JOINTS * 2
    places = np.array([table.numbers(name) for name in ("x", "y")])
    assert places.shape == (2, 34)
    assert np.ptp(places) > 1


def test_what_is_on_record_lies_near_the_joints() -> None:
    """Most of the surer half of the joints that are seen, within a tenth of the picture."""
    table = read(RESULTS / "pose-shown.csv")
    keys = sorted(set(map(int, table.column("picture"))))
    size = task.SIDE, task.SIDE
    _, document = pose.figures.generate(max(keys), task.DATA_SEED + 1, size, task.DIFFICULTY)
    truth = pose.parse_annotations(document)
    found = np.array([table.numbers(name) for name in ("x", "y", "score")]).T.reshape(len(keys), 17, 3)
    there = truth.keypoints[np.isin(truth.image_ids, keys)]
    off = np.hypot(*(found - there)[..., :2].transpose(2, 0, 1))
    sure = (there[..., 2] > 0) & (found[..., 2] >= np.median(found[..., 2]))
    assert np.median(off[sure]) < task.SIDE / 10

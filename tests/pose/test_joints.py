"""The seventeen joints: every table says the same of left and right."""

from __future__ import annotations

import numpy as np

from bnn_ref.pose.heatmaps import HARD_JOINTS
from bnn_ref.pose.joints import COUNT, FLIP, JOINTS, SIGMAS, SKELETON, UPPER_BODY


def test_names_pair_left_before_right() -> None:
    assert COUNT == len(set(JOINTS)) == 17
    for j, name in enumerate(JOINTS):
        other = name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        assert JOINTS[FLIP[j]] == other


def test_the_pair_swap_is_an_involution_row_20() -> None:
    """Bbc.md section 8, row 20."""
    np.testing.assert_array_equal(FLIP[FLIP], np.arange(17))
    assert [(j, FLIP[j]) for j in range(1, 17, 2)] == [(j, j + 1) for j in range(1, 17, 2)]


def test_left_and_right_are_alike() -> None:
    for table in (SIGMAS, UPPER_BODY, HARD_JOINTS):
        np.testing.assert_array_equal(table, table[FLIP])
    limbs = {frozenset(limb) for limb in SKELETON}
    assert len(limbs) == len(SKELETON) == 19
    assert limbs == {frozenset(int(FLIP[j]) for j in limb) for limb in limbs}
    assert [JOINTS[j] for j in range(17) if UPPER_BODY[j]] == list(JOINTS[:11])
    assert HARD_JOINTS.tolist() == [1] * 7 + [1.2] * 2 + [1.5] * 2 + [1] * 2 + [1.2] * 2 + [1.5] * 2

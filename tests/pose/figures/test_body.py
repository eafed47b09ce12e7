"""Bodies: limbs keep their lengths, the left is the left, nothing faces away and is labelled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.pose.figures.body import HEAD, draw_body
from bnn_ref.pose.joints import JOINTS

SEED = st.integers(0, 2**32 - 1)


def at(body: Any, name: str) -> Any:
    return body.joints[JOINTS.index(name)]


@given(seed=SEED)
def test_both_sides_have_limbs_of_one_length(seed: int) -> None:
    body = draw_body(np.random.default_rng(seed))
    for start, end, least, most in (
        ("shoulder", "elbow", 0.1, 0.25),
        ("elbow", "wrist", 0.08, 0.22),
        ("hip", "knee", 0.15, 0.36),
        ("knee", "ankle", 0.14, 0.35),
    ):
        left, right = (
            np.linalg.norm(at(body, f"{s}_{end}") - at(body, f"{s}_{start}")) for s in ("left", "right")
        )
        assert left == pytest.approx(right, rel=1e-12)
        assert least < left < most
    middle = (at(body, "left_shoulder") + at(body, "right_shoulder")) / 2
    np.testing.assert_allclose(middle, 0, atol=1e-12)
    for j in range(5):
        assert np.linalg.norm(body.joints[j] - body.head) == pytest.approx(HEAD, rel=0.1)


@given(seed=SEED)
def test_left_is_left_of_where_the_body_looks(seed: int) -> None:
    """With y down and z away from the onlooker, forward cross left is up: shoulders, eyes and ears."""
    body = draw_body(np.random.default_rng(seed))
    for part in ("shoulder", "eye", "ear"):
        left = at(body, f"left_{part}") - at(body, f"right_{part}")
        up = np.cross(body.forward, left)  # each of left, up and forward is the product of the next two
        assert np.dot(at(body, "nose") - body.head, body.forward) > 0.9 * HEAD
        assert up @ body.head > 0, "the head is above the shoulders"


def test_who_looks_at_us_has_the_left_shoulder_on_the_right() -> None:
    rng = np.random.default_rng(0)
    bodies = [draw_body(rng) for _ in range(2000)]
    facing = np.array([-body.forward[2] for body in bodies])
    spread = np.array([(at(b, "left_shoulder") - at(b, "right_shoulder"))[0] for b in bodies])
    upright = np.array([abs(b.head[0]) < 0.08 for b in bodies])
    clear = upright & (np.abs(facing) > 0.3)
    np.testing.assert_array_equal(spread[clear] > 0, facing[clear] > 0)
    assert 0.4 < (facing > 0).mean() < 0.6


@given(seed=SEED)
def test_knees_do_not_bend_forward_nor_elbows_back(seed: int) -> None:
    """What follows in a limb turns by an angle that has one sign, about the axis from right to left."""
    body = draw_body(np.random.default_rng(seed))
    for side in ("left", "right"):
        hip, knee, ankle = (at(body, f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        straight = np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee)
        assert np.linalg.norm(ankle - hip) <= straight
        left = at(body, "left_shoulder") - at(body, "right_shoulder")
        assert np.cross(knee - hip, ankle - knee) @ left > -0.02 * np.linalg.norm(left), (
            "a knee bends forward"
        )

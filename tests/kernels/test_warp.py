"""The walk over a warped image gives the bits of its definition, wherever the map leads.

`tests/pose/test_crop.py` holds the definition against a loop over the four pixels.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import naive
from bnn_ref.kernels.warp import bilinear


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4)),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    spread=st.sampled_from([0.0, 0.3, 1.0, 30.0, 1e12]),
    whole=st.booleans(),
)
def test_it_is_its_definition(
    seed: int, shape: tuple[int, int, int], size: tuple[int, int], spread: float, whole: bool
) -> None:
    """To the bit: on pixels and between them, at edges, far outside."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, shape, np.uint8)
    back = rng.normal(size=(2, 3)) * [[1, 1, 10 * spread]]
    back = np.round(back) if whole else back
    np.testing.assert_array_equal(bilinear(image, back, size), naive.bilinear(image, back, size))


def test_the_image_may_lie_anyhow() -> None:
    """Mirrored images are views."""
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    same = np.array([[1.0, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(bilinear(image[:, ::-1], same, (7, 9)), image[:, ::-1])

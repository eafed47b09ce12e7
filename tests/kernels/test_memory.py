"""Freed memory stays with the process while it is asked to, and goes back afterwards."""

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from bnn_ref.kernels.memory import keeping

ARRAYS, SIZE = 16, 3 * 2**20
"""Below what NumPy asks huge pages for, whose faults are few anyway."""

PAGES = ARRAYS * SIZE // resource.getpagesize()


def faults() -> int:
    """Page faults of filling some arrays that are freed at once."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [np.ones(SIZE, np.uint8) for _ in range(ARRAYS)]
    del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident() -> int:
    """Pages that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator only")
def test_what_is_freed_is_found_again() -> None:
    """The second time nothing is fetched from the system; afterwards it has its pages back."""
    with keeping():
        faults()
        assert faults() < PAGES // 20
        kept = resident()
    assert resident() < kept - PAGES // 2
    assert faults() > PAGES // 2


def test_errors_pass_through_and_end_it() -> None:
    """As any context."""
    with pytest.raises(KeyError), keeping():
        raise KeyError("x")

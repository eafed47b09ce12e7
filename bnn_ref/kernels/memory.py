"""Memory that one step frees, kept for the next.

Handed back to the system it costs a page fault for every 4 KiB when it is asked for again: a fifteenth of a
training step. Source: ours.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIM, MAPPED_SIZE, MAPPED = -1, -3, -4
"""`mallopt`'s names: bytes free at the top before some are given back; bytes that are mapped on their own,
and how many times that is done."""

KEEPING = ((TRIM, 2**31 - 1), (MAPPED, 0))
BEFORE = ((TRIM, 2**26), (MAPPED_SIZE, 2**25), (MAPPED, 2**16))
"""What glibc comes to by itself, at most, in a process that frees large arrays."""


@contextmanager
def keeping() -> Iterator[None]:
    """What is freed meanwhile stays with this process; at the end it is given back.

    Elsewhere than with glibc nothing changes.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    able = library is not None and hasattr(library, "mallopt") and hasattr(library, "malloc_trim")
    if library is None or not able:
        yield
        return
    for option, value in KEEPING:
        library.mallopt(option, value)
    try:
        yield
    finally:
        for option, value in BEFORE:
            library.mallopt(option, value)
        library.malloc_trim(0)

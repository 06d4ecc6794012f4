"""Which samples are held out: by a hash of their names, so that new files move none that were there before."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from trainer.data.samples import IntArray
from ul_engine.errors import DataError

LEAST_SAMPLES = 4


def split(names: Sequence[str], num_valid: int, *, what: str, path: str) -> tuple[IntArray, IntArray]:
    """Indices of the training samples, rising, and of the held-out ones: `num_valid`, at most a tenth, at least 2.

    The held-out ones stand in the order of their hashes, so the first of them, whoever takes how many, are a fair draw
    from all classes, and the first of more.

    Raises DataError for fewer than 4 samples; `what` (pictures) and `path` name them in it.
    """
    if len(names) < LEAST_SAMPLES:
        raise DataError(
            f"has {len(names)} {what} that can be used; at least {LEAST_SAMPLES} are needed, 2 of them held out",
            path=path,
        )
    count = max(2, min(num_valid, len(names) // 10))
    digests = [blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest() for name in names]
    ranked = sorted(range(len(names)), key=lambda index: (digests[index], index))
    return np.array(sorted(ranked[count:]), dtype=np.int64), np.array(ranked[:count], dtype=np.int64)

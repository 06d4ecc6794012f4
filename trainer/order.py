"""The order of the data: which samples make up a batch, as a pure function of (seed, step)."""

import numpy as np
import numpy.typing as npt


def batch_indices(seed: int, step: int, *, batch_size: int, num_samples: int) -> npt.NDArray[np.int64]:
    """Indices `[batch_size]` of step `step`: consecutive pieces of one fresh permutation per pass over the data.

    Nothing is carried from step to step, so a resumed run sees what the uninterrupted one would have seen.
    """
    position = step * batch_size + np.arange(batch_size)
    epochs = position // num_samples
    result = np.empty(batch_size, dtype=np.int64)
    for epoch in np.unique(epochs):
        permutation = np.random.Generator(np.random.Philox(key=[seed, int(epoch)])).permutation(num_samples)
        chosen = epochs == epoch
        result[chosen] = permutation[position[chosen] % num_samples]
    return result

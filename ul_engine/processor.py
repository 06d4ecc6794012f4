"""How this process uses the CPU: by which library float32 matrices are multiplied, and what happens to freed memory."""

import ctypes
import platform

import torch

WORST_PRODUCT_ERROR = 1e-5
"""Relative; float32 stays below 1e-6, factors rounded to bf16 give 2e-3."""

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Numbers of glibc's `mallopt`."""


def use_fast_products() -> bool:
    """Multiply float32 matrices by oneDNN instead of MKL where that stays float32; True if it does from now on.

    MKL reaches 110 GFLOP/s on a Zen 5 core, oneDNN 240. Torch's one switch between them is the matmul precision
    "medium", under which processors with AMX round the factors to bf16: a trial product decides. The setting holds for
    the whole process, and CUDA would round under it as well: only for processes that compute on the CPU.
    """
    former = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    if _product_error() < WORST_PRODUCT_ERROR:
        return True
    torch.set_float32_matmul_precision(former)
    return False


def _product_error() -> float:
    """Relative error of a float32 product on the CPU, as torch computes it now."""
    generator = torch.Generator("cpu").manual_seed(0)
    a, b = (torch.randn(256, 256, generator=generator) for _ in range(2))
    wanted = a.double() @ b.double()
    return float(((a @ b).double() - wanted).norm() / wanted.norm())


def keep_freed_memory() -> bool:
    """Let the C library keep the memory that tensors gave back; True where it can (glibc).

    Otherwise every training step gives its activations back to the system and has them zeroed page by page in the next:
    7 to 10 % of a step. The process stays as large as it ever was.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))

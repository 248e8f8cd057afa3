"""The device that models run on; no parameter names it."""

import os

import torch

from stages.common.command import InputError


def choose_device(precision: str | None = None) -> torch.device:
    """What `DEVICE` in the environment names, else the machine's accelerator, else the CPU.

    Says so where it is a CPU without bf16 and that is the precision: the numbers are the same, far more slowly.

    Raises:
        InputError: `DEVICE` names none that this machine has.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or CUDA's matrix products are not reproducible
    torch.set_deterministic_debug_mode("error")  # as use_deterministic_algorithms, which imports a compiler for seconds
    torch.utils.deterministic.fill_uninitialized_memory = False  # time for nothing: no one reads it
    wanted = os.environ.get("DEVICE") or torch.accelerator.current_accelerator(check_available=True) or "cpu"
    try:
        device = torch.empty(0, device=wanted).device
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"DEVICE={wanted} cannot be used here ({str(error).splitlines()[0]}); try cpu") from None
    if precision == "bf16" and device.type == "cpu" and not torch.cpu.get_capabilities().get("avx512_bf16", True):
        print("this processor emulates bf16, slowly; precision: fp32 in the corpus's file is faster here", flush=True)
    return device

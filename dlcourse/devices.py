"""Where the PyTorch half computes, and on what hardware a result was obtained."""

import os
import platform
import subprocess

import numpy as np
import torch

__all__ = ["default_device", "device_name", "hardware"]


def default_device():
    """Choose the fastest device there is: a CUDA GPU, then Apple's GPU, then the CPU.

    Returns
    -------
    torch.device
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def device_name(device):
    """Name a device as its maker does.

    Parameters
    ----------
    device : torch.device or str

    Returns
    -------
    str
        Such as ``"NVIDIA H200"`` or ``"AMD EPYC 9654 96-Core Processor"``.

    Raises
    ------
    TypeError
        If `device` is neither a device nor a string.
    ValueError
        If it is no device, or one that this machine does not have.
    """
    if not isinstance(device, (str, torch.device)):
        raise TypeError(f"device: expected a torch.device or a string, got {type(device).__name__} {device!r}")
    try:
        device = torch.device(device)
    except RuntimeError:
        raise ValueError(f"device: expected a device such as 'cpu' or 'cuda:0', got {device!r}") from None
    if device.type == "cpu":
        return cpu_model()
    if device.type == "cuda" and (device.index or 0) < torch.cuda.device_count():
        return torch.cuda.get_device_name(device)
    if device.type == "mps" and torch.backends.mps.is_available():
        return f"{cpu_model()} (GPU)"
    raise ValueError(f"device: expected a device of this machine, got {str(device)!r}")


def hardware():
    """Describe the machine, for a file of results.

    Returns
    -------
    dict of str to str, int or None
        ``cpu`` (model), ``cores`` (usable by this process), ``gpu`` (model, or None), ``python``,
        ``numpy``, ``torch`` (versions), ``blas`` (library and version that NumPy was built with) and
        ``system``. It goes into a JSON file as it is.
    """
    device = default_device()
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "gpu": None if device.type == "cpu" else device_name(device),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__),
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "system": platform.platform(),
    }


def usable_cores():
    """Count the cores this process may run on, which a container or a cluster can restrict."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def cpu_model():
    """Name the processor, from wherever the operating system keeps its name."""
    if platform.system() == "Linux":
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()

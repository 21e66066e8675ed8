"""Run every parity case of the tests and write down the largest errors, for the book's table."""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # thousands of tiny products: threads only cost

import numpy as np
import torch
from tqdm import tqdm

from dlcourse.parity import CASES, TOLERANCE, case_rng, draw_sizes, run_case

from .measured import ROOT, fingerprint, machine, read, write

DRAWS = 20


def largest_errors(case, dtype, device):
    """Run one case over several sizes.

    Parameters
    ----------
    case : dlcourse.parity.Case
    dtype : {"float32", "float64"}
    device : str

    Returns
    -------
    dict
        Largest relative error of the forward results and of the gradients; None where a case
        has none.
    """
    errors = {"forward": None, "gradient": None}
    for seed in range(DRAWS):
        sizes = draw_sizes(case, case_rng(case.name, 1000 + seed))
        for comparison in run_case(case, dtype, device, seed, sizes):
            errors[comparison.what] = max(errors[comparison.what] or 0.0, comparison.error())
    return errors


def main():
    """Write ``parity.json`` unless neither the package nor the cases have changed."""
    sys.path.insert(0, str(ROOT))
    key = fingerprint("dlcourse/**/*.py", "tests/parity/*.py", "constraints.txt")
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    known = read("parity")
    if known and known["key"] == key and known["devices"] == devices:
        return 0
    import tests.parity  # noqa: F401  (registers the cases)

    rows = []
    jobs = [(name, device) for name in sorted(CASES) for device in devices]
    for name, device in tqdm(jobs, desc="parity", unit="case", leave=False):
        row = {"name": name, "device": torch.cuda.get_device_name() if device == "cuda" else "CPU"}
        for dtype, tolerance in TOLERANCE.items():
            row[dtype] = largest_errors(CASES[name], dtype, device)
            worst = max(error for error in row[dtype].values() if error is not None)
            if not worst <= tolerance:
                print(f"{name} on {device} in {dtype}: error {worst:.3g} > {tolerance:g}", file=sys.stderr)
                return 1
        rows.append(row)
    versions = f"NumPy {np.__version__}, PyTorch {torch.__version__}"
    write("parity", {"key": key, "devices": devices, "machine": machine(), "versions": versions, "draws": DRAWS,
                     "rows": rows})
    print(f"parity: {len(rows)} cases agree on {', '.join(devices)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

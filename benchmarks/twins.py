"""Time the references beside their PyTorch counterparts, in one process and one run.

Both halves work on the same numbers, their results are compared first, and their turns alternate,
so that a machine that slows down slows both. What is printed is the ratio of median times: 1.00
means as fast as PyTorch on this CPU, smaller is faster. Usage: ``make bench``.
"""

import argparse
import os
import sys
import time

# Without this, glibc's allocator hands large blocks back to the system after every operation or
# keeps them, depending on what ran before, which changes PyTorch's times by a factor of four.
ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": str(2**32), "MALLOC_MMAP_THRESHOLD_": str(2**32)}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def restart_with(threads):
    """Start again with the allocator and the thread pools pinned, which only the environment can do."""
    wanted = {**ALLOCATOR, **{name: str(threads) for name in THREADS}, "DLCOURSE_BENCH": "1"}
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


def training_step(ours, theirs, x, target):
    """Make both halves' step of stochastic gradient descent on one batch."""
    import torch

    from dlcourse import losses, losses_torch, optim, optim_torch
    from dlcourse.interop import copy_weights

    copy_weights(ours, theirs)
    loss, loss_torch = losses.CrossEntropyLoss(), losses_torch.CrossEntropyLoss()
    step, step_torch = optim.SGD(ours.parameters(), lr=0.1), optim_torch.SGD(theirs.parameters(), lr=0.1)
    x_torch, target_torch = torch.from_numpy(x), torch.from_numpy(target)

    def reference():
        step.zero_grad()
        value = loss(ours(x), target)
        ours.backward(loss.backward())
        step.step()
        return value

    def counterpart():
        step_torch.zero_grad()
        value = loss_torch(theirs(x_torch), target_torch)
        value.backward()
        step_torch.step()
        return value.item()

    return reference, counterpart


def forward_and_backward(ours, theirs, x, dy):
    """Make both halves' pass through a layer and back."""
    import torch

    from dlcourse.interop import copy_weights

    copy_weights(ours, theirs)
    x_torch, dy_torch = torch.from_numpy(x).requires_grad_(), torch.from_numpy(dy)

    def reference():
        ours.zero_grad()
        y = ours(x)
        return ours.backward(dy).ravel()[0] + y.ravel()[0]

    def counterpart():
        theirs.zero_grad()
        x_torch.grad = None
        y = theirs(x_torch)
        y.backward(dy_torch)
        return (x_torch.grad.ravel()[0] + y.ravel()[0]).item()

    return reference, counterpart


def mlp_step(np, torch, rng):
    """One step of stochastic gradient descent: 784-256-10, 128 examples."""
    from dlcourse import activations, linear, linear_torch, module

    x, target = rng.standard_normal((128, 784)).astype(np.float32), rng.integers(0, 10, 128)
    kind = {"rng": rng, "dtype": np.float32}
    ours = module.Sequential(linear.Linear(784, 256, **kind), activations.ReLU(), linear.Linear(256, 10, **kind))
    theirs = torch.nn.Sequential(linear_torch.Linear(784, 256), torch.nn.ReLU(), linear_torch.Linear(256, 10))
    return training_step(ours, theirs, x, target)


def lenet_step(np, torch, rng):
    """One step of stochastic gradient descent: LeNet-5, 64 images."""
    from dlcourse import lenet, lenet_torch

    x, target = rng.standard_normal((64, 1, 32, 32)).astype(np.float32), rng.integers(0, 10, 64)
    return training_step(lenet.LeNet5(rng=rng, dtype=np.float32), lenet_torch.LeNet5(), x, target)


def convolution(np, torch, rng):
    """Convolution forward and backward, 64 images, 16 to 32 channels, 28 x 28, kernels of 3 x 3."""
    from dlcourse import conv, conv_torch

    x, dy = (rng.standard_normal((64, channels, 28, 28)).astype(np.float32) for channels in (16, 32))
    ours = conv.Conv2d(16, 32, 3, padding=1, rng=rng, dtype=np.float32)
    return forward_and_backward(ours, conv_torch.Conv2d(16, 32, 3, padding=1), x, dy)


def max_pool(np, torch, rng):
    """Max pooling 2 x 2 forward and backward, 64 x 32 x 28 x 28."""
    from dlcourse import pooling, pooling_torch

    x, dy = (rng.standard_normal((64, 32, size, size)).astype(np.float32) for size in (28, 14))
    return forward_and_backward(pooling.MaxPool2d(2), pooling_torch.MaxPool2d(2), x, dy)


def cross_entropy(np, torch, rng):
    """Softmax cross entropy forward and backward, 1,024 examples, 1,000 classes."""
    from dlcourse import losses, losses_torch

    logits, target = rng.standard_normal((1024, 1000)).astype(np.float32), rng.integers(0, 1000, 1024)
    ours, theirs = losses.CrossEntropyLoss(), losses_torch.CrossEntropyLoss()
    logits_torch, target_torch = torch.from_numpy(logits.copy()).requires_grad_(), torch.from_numpy(target)

    def reference():
        value = ours(logits, target)
        ours.backward()
        return value

    def counterpart():
        logits_torch.grad = None
        value = theirs(logits_torch, target_torch)
        value.backward()
        return value.item()

    return reference, counterpart


def batch_norm(np, torch, rng):
    """Batch norm forward and backward, 64 x 32 x 28 x 28."""
    from dlcourse import normalization, normalization_torch

    x, dy = rng.standard_normal((2, 64, 32, 28, 28)).astype(np.float32)
    ours = normalization.BatchNorm2d(32, dtype=np.float32)
    return forward_and_backward(ours, normalization_torch.BatchNorm2d(32), x, dy)


def adam(np, torch, rng):
    """One step of Adam on a million parameters."""
    from dlcourse import optim, optim_torch
    from dlcourse.module import Parameter

    value, grad = rng.standard_normal((2, 1_000_000)).astype(np.float32)
    ours, theirs = Parameter(value.copy()), torch.nn.Parameter(torch.from_numpy(value.copy()))
    ours.grad, theirs.grad = grad, torch.from_numpy(grad)
    step, step_torch = optim.Adam([ours]), optim_torch.Adam([theirs])

    def reference():
        step.step()
        return ours.data[0]

    def counterpart():
        step_torch.step()
        return theirs[0].item()

    return reference, counterpart


CASES = [mlp_step, cross_entropy, batch_norm, adam, convolution, max_pool, lenet_step]


def ratio(reference, counterpart, slots):
    """Alternate the two and return the ratio of their median times."""
    times = {reference: [], counterpart: []}
    for _ in range(slots):
        for run in (reference, counterpart):
            start = time.perf_counter()
            run()
            times[run].append(time.perf_counter() - start)
    middle = {run: sorted(taken)[slots // 2] for run, taken in times.items()}
    return middle[reference] / middle[counterpart], middle[counterpart]


def main():
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--slots", type=int, default=60, help="turns of each contestant")
    options = parser.parse_args()
    if "DLCOURSE_BENCH" not in os.environ:
        restart_with(options.threads)

    import numpy as np
    import torch

    torch.set_num_threads(options.threads)
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__}, float32, {options.threads} thread(s)")
    print(f"{'case':<16}{'NumPy / torch':>14}{'torch':>12}   what")
    for case in CASES:
        reference, counterpart = case(np, torch, np.random.default_rng(0))
        ours, theirs = reference(), counterpart()
        if not np.isclose(ours, theirs, rtol=1e-3, atol=1e-2):
            sys.exit(f"{case.__name__}: the halves disagree: {ours} and {theirs}")
        quotient, seconds = ratio(reference, counterpart, options.slots)
        print(f"{case.__name__:<16}{quotient:>14.2f}{seconds * 1e3:>9.2f} ms   {case.__doc__}")


if __name__ == "__main__":
    main()

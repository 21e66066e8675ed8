"""The full MNIST sets, downloaded once and checked each time.

The files lie in the folder that the environment variable ``DLCOURSE_DATA`` names, else in the
user's cache: ``mnist/train-images-idx3-ubyte.gz`` and so on. A file is trusted if its *unpacked*
content has the right SHA-256, since mirrors pack the same content into different bytes. Files put
there by hand serve as well as downloaded ones. ``DLCOURSE_DATA_URL`` names another server to
download from, which has the same two folders.
"""

import gzip
import hashlib
import math
import os
import time
import zlib
from pathlib import Path

import numpy as np

from ..progress import track
from ..validation import check_choice, describe
from .bundled import check_dtype
from .dataset import Dataset

__all__ = ["DownloadError", "fashion_mnist", "mnist"]

MNIST = {
    "mnist/train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "mnist/train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "mnist/t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "mnist/t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
FASHION_MNIST = {
    "fashion-mnist/train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "fashion-mnist/train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "fashion-mnist/t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "fashion-mnist/t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
FASHION_MNIST_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
)
FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)

ATTEMPTS = 4            # at each mirror; a dropped connection costs one, what had arrived is kept
FIRST_WAIT = 0.5        # seconds, doubled after each attempt
CHUNK = 2**16           # bytes
TIMEOUT = 30            # seconds without a byte


class DownloadError(Exception):
    """A file that could not be had; the message names it and says what to do."""


def mnist(part="train", *, flatten=True, dtype=np.float32, folder=None, url=None, registry=None):
    """Load the MNIST digits, downloading them (12 MB) at the first call.

    Parameters
    ----------
    part : {"train", "test"}
        60,000 or 10,000 images.
    flatten : bool
        Whether an image is a row of 784 numbers.
    dtype : numpy.dtype
    folder : str or path-like, optional
        Where the files are kept; by default ``DLCOURSE_DATA``, else the user's cache.
    url : str, optional
        Server to download from, which holds a folder ``mnist``; by default ``DLCOURSE_DATA_URL``,
        else the public mirrors.
    registry : dict of str to str, optional
        SHA-256 of each file's unpacked content, for other files in the same format.

    Returns
    -------
    Dataset
        x (N, 784) or (N, 28, 28), from 0 (paper) to 1 (ink) in steps of 1/255; y int64 (N,),
        labels 0 to 9.

    Raises
    ------
    DownloadError
        If a file is neither in the folder nor to be downloaded, or arrives damaged.
    ValueError
        If `part` is no part, or a file with the right checksum does not hold images.

    Notes
    -----
    Source: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*, 1998. Licence:
    the original states none.
    """
    return load_idx_set(
        "mnist",
        part,
        MNIST if registry is None else registry,
        MNIST_MIRRORS,
        folder,
        url,
        flatten,
        dtype,
        name="MNIST",
        source="LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998)",
        licence="none stated by the authors",
        class_names=tuple("0123456789"),
    )


def fashion_mnist(part="train", *, flatten=True, dtype=np.float32, folder=None, url=None, registry=None):
    """Load Fashion-MNIST, ten kinds of clothes in MNIST's format, downloading it (31 MB) at the first call.

    Parameters
    ----------
    part : {"train", "test"}
        60,000 or 10,000 images.
    flatten : bool
        Whether an image is a row of 784 numbers.
    dtype : numpy.dtype
    folder : str or path-like, optional
        Where the files are kept; by default ``DLCOURSE_DATA``, else the user's cache.
    url : str, optional
        Server to download from, which holds a folder ``fashion-mnist``; by default
        ``DLCOURSE_DATA_URL``, else the public mirrors.
    registry : dict of str to str, optional
        SHA-256 of each file's unpacked content, for other files in the same format.

    Returns
    -------
    Dataset
        x (N, 784) or (N, 28, 28), from 0 to 1 in steps of 1/255; y int64 (N,), labels 0 to 9.

    Raises
    ------
    DownloadError
        If a file is neither in the folder nor to be downloaded, or arrives damaged.
    ValueError
        If `part` is no part, or a file with the right checksum does not hold images.

    Notes
    -----
    Source: Xiao, Rasul and Vollgraf, *Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms*, arXiv 1708.07747, 2017. Licence: MIT.
    """
    return load_idx_set(
        "fashion-mnist",
        part,
        FASHION_MNIST if registry is None else registry,
        FASHION_MNIST_MIRRORS,
        folder,
        url,
        flatten,
        dtype,
        name="Fashion-MNIST",
        source="Xiao, Rasul and Vollgraf, Fashion-MNIST (2017)",
        licence="MIT",
        class_names=FASHION_CLASSES,
    )


def load_idx_set(subfolder, part, registry, mirrors, folder, url, flatten, dtype, *, name, **description):
    """Fetch the two files of a part, and make a data set of them."""
    dtype = check_dtype(dtype)
    prefix = {"train": "train", "test": "t10k"}[check_choice(part, "part", ("train", "test"))]
    images, labels = (f"{subfolder}/{prefix}-{rest}-ubyte.gz" for rest in ("images-idx3", "labels-idx1"))
    for file in (images, labels):
        if file not in registry:
            raise ValueError(f"registry: expected an entry {file!r}, got {sorted(registry)}")
    mirrors = chosen_mirrors(subfolder, url, mirrors)
    folder = chosen_folder(folder)
    pixels = parse_idx(fetch(folder, images, registry[images], mirrors), images, ndim=3)
    target = parse_idx(fetch(folder, labels, registry[labels], mirrors), labels, ndim=1)
    x = pixels.astype(dtype)
    x /= 255                                               # in place: the training part takes 188 MB
    return Dataset(
        x.reshape(len(x), math.prod(x.shape[1:])) if flatten else x,
        target.astype(np.int64),
        name=f"{name} ({part})",
        **description,
    )


def chosen_folder(folder):
    """Return the folder to keep files in: the argument, the environment variable, or the user's cache."""
    if folder is not None and not isinstance(folder, (str, os.PathLike)):
        raise TypeError(f"folder: expected a path, got {describe(folder)}")
    if folder is None:
        folder = os.environ.get("DLCOURSE_DATA")
    if not folder:
        import pooch  # not to be had in the browser

        folder = pooch.os_cache("dlcourse")
    return Path(folder).expanduser()


def chosen_mirrors(subfolder, url, mirrors):
    """Return the addresses to try: that of the argument or the environment variable, or the public ones."""
    if url is not None and not isinstance(url, str):
        raise TypeError(f"url: expected a string, got {describe(url)}")
    url = url or os.environ.get("DLCOURSE_DATA_URL")
    return (f"{url.rstrip('/')}/{subfolder}",) if url else mirrors


def parse_idx(content, file, *, ndim):
    """Read an array of bytes in the idx format: two zeros, a type code, the number of axes, their sizes, the data.

    Parameters
    ----------
    content : bytes
    file : str
        Its name, for the message.
    ndim : int
        Number of axes expected.

    Returns
    -------
    ndarray of uint8

    References
    ----------
    LeCun, Cortes and Burges, *The MNIST database*, section "File formats".
    """
    start = 4 + 4 * ndim
    if content[:4] != bytes([0, 0, 8, ndim]) or len(content) < start:      # 8 is the code of unsigned bytes
        raise ValueError(f"{file}: expected an idx file of bytes with {ndim} axes, got one that begins {content[:4]!r}")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", ndim, offset=4))
    if len(content) - start != math.prod(shape):
        raise ValueError(f"{file}: expected {math.prod(shape)} bytes for shape {shape}, got {len(content) - start}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read_verified(path, sha256):
    """Unpack a file; return None if there is none, or its content is not the expected one."""
    try:
        with gzip.open(path) as packed:
            content = packed.read()
    except (FileNotFoundError, gzip.BadGzipFile, EOFError, zlib.error):
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def fetch(folder, file, sha256, mirrors):
    """Return a file's unpacked content, from the folder if it is there and intact, else from a mirror.

    Parameters
    ----------
    folder : pathlib.Path
    file : str
        Path below `folder`.
    sha256 : str
        Of the unpacked content.
    mirrors : sequence of str
        Addresses of the folder on the servers, tried in turn.

    Returns
    -------
    bytes
    """
    path = folder / file
    content = read_verified(path, sha256)
    if content is None:
        from filelock import FileLock

        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):                     # several processes may want it at once
            content = read_verified(path, sha256) or download(path, sha256, mirrors)
    return content


def download(path, sha256, mirrors):
    """Get a file from the first mirror that has it, and return its unpacked content."""
    import pooch

    failures = []
    if path.exists():
        path.unlink()
        failures.append(f"the one in {path.parent} had a wrong checksum and was removed")
    for mirror in mirrors:
        address = {path.name: f"{mirror}/{path.name}"}
        store = pooch.create(path.parent, mirror, registry={path.name: None}, urls=address)
        try:
            store.fetch(path.name, downloader=ResumingDownloader(path, sha256))
        except DownloadError as error:
            failures.append(str(error))
        else:
            return read_verified(path, sha256)
    raise DownloadError(
        f"{path.name}: {'; '.join(failures)}. Try again later, put the file into {path.parent} by hand, "
        "or set DLCOURSE_DATA to a folder that has it, or DLCOURSE_DATA_URL to another server"
    )


class ResumingDownloader:
    """A downloader for pooch that goes on where an interrupted download stopped, and checks what it got.

    What has arrived lies in a file ``.part`` beside the final one. It survives an interruption of
    the program, and is removed only if it turns out to be wrong.

    Parameters
    ----------
    path : pathlib.Path
        The final file.
    sha256 : str
        Of its unpacked content.
    """

    def __init__(self, path, sha256):
        self.part = path.with_name(path.name + ".part")
        self.sha256 = sha256

    def __call__(self, url, output_file, pooch):
        """Download to ``.part``, and move it to `output_file` once it is complete and right."""
        import requests
        import urllib3

        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(FIRST_WAIT * 2 ** (attempt - 1))
            try:
                resumed = self.receive(url)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                response = getattr(error, "response", None)
                if response is not None and response.status_code < 500:    # asking again would not help
                    raise DownloadError(f"{url} answers {response.status_code} {response.reason}") from error
                failure = f"{url} failed {ATTEMPTS} times, last with {type(error).__name__} ({error})"
                continue
            if read_verified(self.part, self.sha256) is not None:
                os.replace(self.part, output_file)
                return
            self.part.unlink(missing_ok=True)
            failure = f"{url} sent a file with a wrong checksum, which was removed"
            if not resumed:                                # else the two halves may not have been of one file
                break
        raise DownloadError(failure)

    def receive(self, url):
        """Append to ``.part`` what is missing; return whether there was something before.

        A connection that breaks off before all has come raises an error of urllib3.
        """
        import requests

        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == 416:                # nothing beyond what is there: it was complete
                return True
            response.raise_for_status()
            if response.status_code != 206:                # the server sends all of it, from the start
                have = 0
            length = response.headers.get("Content-Length")
            chunks = response.raw.stream(CHUNK, decode_content=False)
            with open(self.part, "ab" if have else "wb") as file:
                total = None if length is None else math.ceil(int(length) / CHUNK)
                for chunk in track(chunks, self.part.stem, total=total):
                    file.write(chunk)
        return have > 0

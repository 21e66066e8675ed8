"""Data: what loaders promise, what generators draw, and every way in which a download can fail."""

import gzip
import hashlib
import http.server
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from dlcourse import data
from dlcourse.data import downloads

# ---------------------------------------------------------------- sets that packages carry

BUNDLED = [
    # loader, shapes of x and y, examples of each class, number of feature names
    (data.digits, (1797, 64), (1797,), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 0),
    (data.mnist_5k, (5000, 784), (5000,), [500] * 10, 0),
    (data.iris, (150, 4), (150,), [50] * 3, 4),
    (data.wine, (178, 13), (178,), [59, 71, 48], 13),
    (data.breast_cancer, (569, 30), (569,), [212, 357], 30),
    (data.diabetes, (442, 10), (442, 1), None, 10),
]


@pytest.mark.parametrize(("load", "x_shape", "y_shape", "counts", "num_names"), BUNDLED)
def test_bundled_sets_are_as_documented(load, x_shape, y_shape, counts, num_names):
    dataset = load()
    assert (dataset.x.shape, dataset.x.dtype) == (x_shape, np.float32)
    assert dataset.y.shape == y_shape
    assert np.isfinite(dataset.x).all()
    assert len(dataset) == x_shape[0]
    assert len(dataset.feature_names) == num_names
    if counts is None:
        assert (dataset.y.dtype, dataset.class_names) == (np.float32, ())
    else:
        assert dataset.y.dtype == np.int64
        assert np.bincount(dataset.y).tolist() == counts
        assert len(dataset.class_names) == len(counts)
    assert dataset.source
    assert dataset.licence
    assert load(dtype=np.float64).x.dtype == np.float64


def test_a_live_page_reads_the_copies_that_came_with_it(tmp_path, monkeypatch):
    """There scikit-learn is missing; the copies give the same sets."""
    from dlbook.live import copy_data

    expected = {"iris": data.iris(), "flat": data.digits(), "images": data.digits(flatten=False)}
    copied = copy_data(tmp_path)
    assert list(copied) == ["dlcourse/data/copies/digits.npz", "dlcourse/data/copies/iris.npz"]
    monkeypatch.setattr(data.bundled, "COPIES", tmp_path)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    actual = {"iris": data.iris(), "flat": data.digits(), "images": data.digits(flatten=False)}
    for name, there in actual.items():
        np.testing.assert_array_equal(there.x, expected[name].x)
        np.testing.assert_array_equal(there.y, expected[name].y)
        assert (there.name, there.class_names, there.feature_names) == (
            expected[name].name, expected[name].class_names, expected[name].feature_names)
    with pytest.raises(ImportError, match="sklearn"):
        data.wine()                              # no copy of it: a page is told that scikit-learn is missing


def test_bundled_values_by_hand():
    assert data.iris().x[0] == pytest.approx([5.1, 3.5, 1.4, 0.2])
    assert data.diabetes().x[0, :3] == pytest.approx([59, 2, 32.1])
    assert data.diabetes().y[:3].tolist() == [[151], [75], [141]]
    assert data.diabetes(dtype=np.float64).y.dtype == np.float64
    assert data.breast_cancer().class_names == ("malignant", "benign")
    assert data.iris().feature_names[3] == "petal width (cm)"


@pytest.mark.parametrize(("load", "side", "steps"), [(data.digits, 8, 16), (data.mnist_5k, 28, 255)])
def test_images_are_scaled_and_keep_their_rows(load, side, steps):
    flat, images = load(), load(flatten=False)
    assert images.x.shape == (len(flat), side, side)
    assert np.array_equal(images.x.reshape(len(flat), -1), flat.x)
    assert (flat.x.min(), flat.x.max()) == (0, 1)
    assert np.allclose(flat.x * steps, np.rint(flat.x * steps), atol=1e-4)


def test_the_fixed_parts_of_mnist_5k():
    whole = data.mnist_5k()
    parts = {name: data.mnist_5k(name) for name in ("train", "validation", "test")}
    assert [len(part) for part in parts.values()] == [3500, 500, 1000]
    for part, each in zip(parts.values(), (350, 50, 100), strict=True):
        assert np.bincount(part.y).tolist() == [each] * 10
    rows = [{row.tobytes() for row in part.x} for part in parts.values()]
    assert set.union(*rows) == {row.tobytes() for row in whole.x}
    assert sum(map(len, rows)) == 5000                     # so no image is in two parts
    assert np.array_equal(parts["train"].x[350:700], whole.x[500:850])
    assert (parts["train"].y[350:700] == 1).all()


def test_loaders_hand_out_copies():
    data.digits().x[:] = 7
    data.iris().y[:] = 7
    assert data.digits().x.max() == 1
    assert data.iris().y.max() == 2


def test_repr_is_short():
    assert repr(data.iris()) == "<iris: x float32 (150, 4), y int64 (150,)>"


# ---------------------------------------------------------------- generators

CLASSIFICATION = {
    "xor": lambda n, noise, rng: data.xor(n, noise, rng=rng),
    "blobs": lambda n, noise, rng: data.blobs(n, noise, 5, 3, rng=rng),
    "moons": lambda n, noise, rng: data.moons(n, noise, rng=rng),
    "circles": lambda n, noise, rng: data.circles(n, noise, rng=rng),
    "spirals": lambda n, noise, rng: data.spirals(n, noise, 3, rng=rng),
    "separable": lambda n, noise, rng: data.separable(n, noise + 0.1, 4, rng=rng),
}


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_generators_are_balanced_shuffled_and_reproducible(name, rng):
    dataset = CLASSIFICATION[name](301, 0.1, rng)
    again = CLASSIFICATION[name](301, 0.1, np.random.default_rng(0))
    other = CLASSIFICATION[name](301, 0.1, np.random.default_rng(1))
    counts = np.bincount(dataset.y)
    assert counts.max() - counts.min() <= 1
    assert len(dataset.class_names) == len(counts)
    assert (dataset.x.dtype, dataset.y.dtype) == (np.float64, np.int64)
    assert np.array_equal(dataset.x, again.x)
    assert np.array_equal(dataset.y, again.y)
    assert not np.array_equal(dataset.x, other.x)
    # the labels of random order change about 301 (C - 1) / C times, with a standard deviation below 9
    changes = np.count_nonzero(np.diff(dataset.y))
    assert abs(changes - 300 * (len(counts) - 1) / len(counts)) < 45


@pytest.mark.parametrize("name", [name for name in CLASSIFICATION if name != "separable"])
def test_noise_has_the_standard_deviation_asked_for(name):
    """The same draws with and without noise differ by the noise."""
    clean = CLASSIFICATION[name](2000, 0.0, np.random.default_rng(0))
    noisy = CLASSIFICATION[name](2000, 0.3, np.random.default_rng(0))
    assert np.array_equal(clean.y, noisy.y)
    # the standard deviation of the estimate is 0.3 / sqrt(2 * 4000) = 0.0034; five of them, one false alarm in 10^6
    assert (noisy.x - clean.x).std() == pytest.approx(0.3, abs=0.017)


def test_shapes_without_noise(rng):
    xor = data.xor(100, 0.0, rng=rng)
    assert np.array_equal(xor.y, xor.x.prod(axis=1) < 0)
    assert set(np.unique(xor.x)) == {-1, 1}

    blobs = data.blobs(100, 0.0, num_classes=4, dim=3, radius=5.0, rng=rng)
    assert np.allclose(blobs.x, np.array([[5, 0, 0], [0, 5, 0], [-5, 0, 0], [0, -5, 0]])[blobs.y])

    circles = data.circles(100, 0.0, factor=0.3, rng=rng)
    assert np.allclose(np.linalg.norm(circles.x, axis=1), np.where(circles.y == 0, 1.0, 0.3))

    moons = data.moons(100, 0.0, rng=rng)
    centre = np.where(moons.y[:, None] == 0, [0.0, 0.0], [1.0, 0.5])
    assert np.allclose(np.linalg.norm(moons.x - centre, axis=1), 1)
    assert (np.where(moons.y == 0, moons.x[:, 1], 0.5 - moons.x[:, 1]) >= 0).all()

    spirals = data.spirals(100, 0.0, num_classes=3, turns=0.75, rng=rng)
    radius, angle = np.linalg.norm(spirals.x, axis=1), np.arctan2(spirals.x[:, 1], spirals.x[:, 0]) / (2 * np.pi)
    assert radius.min() >= 0.1
    assert radius.max() <= 1
    assert np.allclose((angle - 0.75 * radius - spirals.y / 3 + 0.5) % 1, 0.5)


@pytest.mark.parametrize("dim", [1, 2, 7])
@pytest.mark.parametrize("n", [2, 3, 100])
def test_separable_keeps_its_promise(n, dim, rng):
    dataset = data.separable(n, 0.25, dim, rng=rng)
    distance = (2 * dataset.y - 1) * (dataset.x @ dataset.weight + dataset.bias)
    assert np.linalg.norm(dataset.weight) == pytest.approx(1)
    assert dataset.margin == 0.25
    for label in (0, 1):
        assert distance[dataset.y == label].min() == pytest.approx(0.25)


def test_no_separator_has_a_wider_margin(rng):
    """What a support vector machine with a hard margin finds is the true hyperplane."""
    from sklearn.svm import SVC

    dataset = data.separable(200, 0.3, 3, rng=rng)
    machine = SVC(kernel="linear", C=1e6, tol=1e-8).fit(dataset.x, dataset.y)
    length = np.linalg.norm(machine.coef_)
    assert 1 / length == pytest.approx(0.3, rel=1e-3)
    assert machine.coef_[0] / length == pytest.approx(dataset.weight, abs=1e-2)


def test_noisy_sine_by_hand(rng):
    clean = data.noisy_sine(500, 0.0, rng=rng)
    assert clean.x.shape == clean.y.shape == (500, 1)
    assert np.allclose(clean.y, np.sin(2 * np.pi * clean.x))
    assert clean.x.min() >= 0
    assert clean.x.max() < 1
    noisy = data.noisy_sine(5000, 0.2, rng=rng, dtype=np.float32)
    assert noisy.x.dtype == noisy.y.dtype == np.float32
    # standard deviation of the estimate 0.2 / sqrt(2 * 5000) = 0.002; five of them, one false alarm in 10^6
    assert (noisy.y - np.sin(2 * np.pi * noisy.x)).std() == pytest.approx(0.2, abs=0.01)


# ---------------------------------------------------------------- split


def test_split_loses_and_doubles_nothing(rng):
    x, y = np.arange(50.0)[:, None], np.arange(50) % 3
    parts = data.split((x, y), (0.5, 0.3, 0.2), rng=rng)
    assert [len(part[0]) for part in parts] == [25, 15, 10]
    assert sorted(np.concatenate([part[0] for part in parts])[:, 0]) == list(range(50))
    for x_part, y_part in parts:
        assert np.array_equal(y_part, x_part[:, 0].astype(int) % 3)        # rows stay together
        assert not np.array_equal(x_part, np.sort(x_part, axis=0))


def test_split_of_a_dataset_gives_datasets(rng):
    train, validation, test = data.split(data.iris(), rng=rng)
    assert [len(train), len(validation), len(test)] == [90, 30, 30]
    assert (train.name, train.class_names) == ("iris", data.iris().class_names)
    assert np.bincount(train.y).tolist() == [30, 30, 30]
    assert np.bincount(test.y).tolist() == [10, 10, 10]


def test_split_of_a_separable_set_keeps_the_separator(rng):
    dataset = data.separable(20, 0.5, rng=rng)
    half, _ = data.split(dataset, (0.5, 0.5), rng=rng)
    assert isinstance(half, data.SeparableDataset)
    assert np.array_equal(half.weight, dataset.weight)


@pytest.mark.parametrize("counts", [(90, 9), (500, 300, 200), (7, 7, 7, 7), (1, 40)])
def test_split_keeps_the_classes_in_proportion(counts, rng):
    y = np.repeat(np.arange(len(counts)), counts)
    for part in data.split((y,), (0.6, 0.2, 0.2), rng=rng):
        share = len(part[0]) / len(y)
        assert np.abs(np.bincount(part[0], minlength=len(counts)) - share * np.array(counts)).max() <= 2


def test_split_without_strata_lets_chance_decide(rng):
    y = np.repeat([0, 1], [500, 500])
    balances = {int(data.split((y,), (0.5, 0.5), rng=rng, stratify=False)[0][0].sum()) for _ in range(10)}
    strata = {int(data.split((y,), (0.5, 0.5), rng=rng)[0][0].sum()) for _ in range(10)}
    assert strata == {250}
    assert len(balances) > 3                               # standard deviation 7.9; all alike once in 10^9


def test_split_is_random_within_classes(rng):
    y = np.zeros(1000, int)
    first, second = (data.split((np.arange(1000), y), (0.5, 0.5), rng=rng)[0][0] for _ in range(2))
    # two random halves share 250 examples, with a standard deviation of 7.9
    assert abs(len(set(first) & set(second)) - 250) < 45


def test_split_shuffles_each_part(rng):
    """In random order 500 labels of two classes change 250 times, with a standard deviation of 11."""
    part, _ = data.split((np.repeat([0, 1], 500),), (0.5, 0.5), rng=rng)
    assert abs(np.count_nonzero(np.diff(part[0])) - 250) < 60


def test_split_by_sizes_may_leave_some_out(rng):
    train, test = data.split(data.wine(), (100, 20), rng=rng)
    assert (len(train), len(test)) == (100, 20)
    assert not {row.tobytes() for row in train.x} & {row.tobytes() for row in test.x}


def test_split_of_numbers_to_predict_has_no_classes(rng):
    train, test = data.split(data.diabetes(), (0.8, 0.2), rng=rng)
    assert (len(train), len(test)) == (354, 88)


# ---------------------------------------------------------------- downloads


def idx(array):
    """Pack an array of bytes as the MNIST files are, after the description of the format."""
    header = b"\x00\x00\x08" + bytes([array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.tobytes()


# Random pixels, which cannot be compressed: 376 kB, several chunks of the download.
PIXELS = np.random.default_rng(0).integers(0, 256, (480, 28, 28), dtype=np.uint8)
LABELS = np.random.default_rng(1).integers(0, 10, 480, dtype=np.uint8)
IMAGES_FILE, LABELS_FILE = "mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz"
UNPACKED = {IMAGES_FILE: idx(PIXELS), LABELS_FILE: idx(LABELS)}
PACKED = {file: gzip.compress(content, mtime=0) for file, content in UNPACKED.items()}
REGISTRY = {file: hashlib.sha256(content).hexdigest() for file, content in UNPACKED.items()}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the fixture's `answers` say, one entry for each request, the last one for all further ones."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        state = self.server.state
        name = self.path.lstrip("/")
        asked = self.headers.get("Range")
        with state.lock:
            state.requests.append((name, asked))
            script = state.answers.get(name, ["right"])
            answer = script.pop(0) if len(script) > 1 else script[0]
        content = state.files.get(name)
        if content is None or isinstance(answer, int):
            self.send_error(answer if isinstance(answer, int) else 404)
            return
        if answer == "wrong":
            content = gzip.compress(b"something else")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and answer != "no ranges" else 0
        if start >= len(content) > 0 and start:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if answer == "encoded":
            self.send_header("Content-Encoding", "gzip")
        if answer == "short":                              # claims to be complete
            body = body[: len(body) // 2]
        if answer in ("no length", "cut without length"):
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer in ("cut", "cut without length"):
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(body)


@pytest.fixture
def server(monkeypatch):
    """A web server on this machine that fails as told, with no waiting between attempts."""
    for name in ("DLCOURSE_DATA", "DLCOURSE_DATA_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloads, "FIRST_WAIT", 0)
    state = SimpleNamespace(files=dict(PACKED), answers={}, requests=[], lock=threading.Lock())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.state = state
        state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        httpd.shutdown()
        thread.join()


def load(server, folder, **options):
    return data.mnist(folder=folder, url=server.url, registry=REGISTRY, **options)


def check(dataset):
    assert np.array_equal(dataset.x, PIXELS.reshape(480, 784).astype(np.float32) / 255)
    assert np.array_equal(dataset.y, LABELS)


def ranges(server, file=IMAGES_FILE):
    return [asked for name, asked in server.requests if name == file]


def test_a_right_file_is_downloaded_once(server, tmp_path):
    dataset = load(server, tmp_path)
    check(dataset)
    assert (dataset.x.dtype, dataset.y.dtype, dataset.name) == (np.float32, np.int64, "MNIST (train)")
    check(load(server, tmp_path))
    assert server.requests == [(IMAGES_FILE, None), (LABELS_FILE, None)]
    assert (tmp_path / IMAGES_FILE).read_bytes() == PACKED[IMAGES_FILE]
    assert not list(tmp_path.rglob("*.part"))


def test_images_keep_their_rows_and_columns(server, tmp_path):
    """The idx format counts rows first, and its sizes are big-endian."""
    images = load(server, tmp_path, flatten=False, dtype=np.float64)
    assert images.x.shape == (480, 28, 28)
    assert images.x.dtype == np.float64
    assert images.x[3, 5, 7] == PIXELS[3, 5, 7] / 255


def test_a_file_put_into_the_folder_by_hand_is_used(server, tmp_path):
    """Packed by another program, with other bytes; and without a server."""
    for file, content in UNPACKED.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(gzip.compress(content, compresslevel=1, mtime=12345))
    check(load(server, tmp_path))
    assert server.requests == []


def test_a_folder_that_cannot_be_written_to_serves_if_it_is_complete(server, tmp_path):
    load(server, tmp_path)
    for lock in tmp_path.rglob("*.lock"):
        lock.unlink()
    before = sorted(tmp_path.rglob("*"))
    check(load(server, tmp_path))
    assert sorted(tmp_path.rglob("*")) == before           # reading leaves no trace, so needs no permission


@pytest.mark.parametrize("damage", ["flipped", "cut", "garbled", "empty", "not gzip"])
def test_a_damaged_file_in_the_folder_is_replaced(server, tmp_path, damage):
    load(server, tmp_path)
    content = PACKED[IMAGES_FILE]
    middle = len(content) // 2
    damaged = {
        "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:],
        "cut": content[:middle],
        "garbled": content[:10] + b"\xff" * 100,           # a good header, but nothing that could be unpacked
        "empty": b"",
        "not gzip": UNPACKED[IMAGES_FILE],
    }
    (tmp_path / IMAGES_FILE).write_bytes(damaged[damage])
    check(load(server, tmp_path))
    assert (tmp_path / IMAGES_FILE).read_bytes() == content


def test_a_damaged_file_without_a_server_is_explained(server, tmp_path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / IMAGES_FILE).write_bytes(gzip.compress(b"something else"))
    server.answers[IMAGES_FILE] = [404]
    with pytest.raises(data.DownloadError, match=r"train-images.*wrong checksum and was removed.*404"):
        load(server, tmp_path)
    assert not (tmp_path / IMAGES_FILE).exists()


def test_a_wrong_checksum_names_the_file_and_removes_it(server, tmp_path):
    server.answers[IMAGES_FILE] = ["wrong"]
    with pytest.raises(data.DownloadError, match=r"train-images-idx3-ubyte\.gz: .* wrong checksum, which was removed"):
        load(server, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".gz", ".part")]
    assert ranges(server) == [None]                        # the same request would get the same answer


def test_a_missing_file_is_asked_for_once_and_named(server, tmp_path):
    server.answers[LABELS_FILE] = [404]
    with pytest.raises(data.DownloadError, match=r"train-labels-idx1-ubyte\.gz: .* answers 404 .*DLCOURSE_DATA"):
        load(server, tmp_path)
    assert ranges(server, LABELS_FILE) == [None]


def test_a_file_that_is_cut_but_claims_to_be_complete_is_refused(server, tmp_path):
    server.answers[IMAGES_FILE] = ["short"]
    with pytest.raises(data.DownloadError, match=r"train-images.*wrong checksum"):
        load(server, tmp_path)
    assert not (tmp_path / IMAGES_FILE).exists()


def test_a_file_that_is_cut_without_saying_its_length_is_refused(server, tmp_path):
    server.answers[IMAGES_FILE] = ["cut without length"]
    with pytest.raises(data.DownloadError, match=r"train-images.*wrong checksum"):
        load(server, tmp_path)
    assert not (tmp_path / IMAGES_FILE).exists()


def test_a_dropped_connection_is_resumed(server, tmp_path):
    server.answers[IMAGES_FILE] = ["cut", "cut", "right"]
    check(load(server, tmp_path))
    total = len(PACKED[IMAGES_FILE])
    half, three_quarters = total // 2, total // 2 + (total - total // 2) // 2
    assert ranges(server) == [None, f"bytes={half}-", f"bytes={three_quarters}-"]


def test_what_arrived_before_a_failure_is_kept_for_the_next_call(server, tmp_path):
    server.answers[IMAGES_FILE] = ["cut"]
    with pytest.raises(data.DownloadError, match="failed 4 times"):
        load(server, tmp_path)
    arrived = (tmp_path / (IMAGES_FILE + ".part")).stat().st_size
    assert arrived > len(PACKED[IMAGES_FILE]) / 2
    server.answers[IMAGES_FILE] = ["right"]
    check(load(server, tmp_path))
    assert ranges(server)[-1] == f"bytes={arrived}-"


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.answers[IMAGES_FILE] = ["cut", "no ranges"]
    check(load(server, tmp_path))
    assert len(ranges(server)) == 2
    assert (tmp_path / IMAGES_FILE).read_bytes() == PACKED[IMAGES_FILE]


@pytest.mark.parametrize("left", ["other bytes", "complete", "too long"])
def test_what_an_earlier_download_left_is_continued_or_thrown_away(server, tmp_path, left):
    (tmp_path / "mnist").mkdir()
    content = PACKED[IMAGES_FILE]
    part = {"other bytes": b"x" * 1000, "complete": content, "too long": content + b"x"}[left]
    (tmp_path / (IMAGES_FILE + ".part")).write_bytes(part)
    check(load(server, tmp_path))
    assert ranges(server) == [f"bytes={len(part)}-"] + ([] if left == "complete" else [None])
    assert (tmp_path / IMAGES_FILE).read_bytes() == content


def test_a_server_that_is_briefly_overloaded_is_asked_again(server, tmp_path):
    server.answers[IMAGES_FILE] = [503, 500, "right"]
    check(load(server, tmp_path))
    assert len(ranges(server)) == 3


@pytest.mark.parametrize("answer", ["no length", "encoded"])
def test_other_ways_of_sending(server, tmp_path, answer):
    """Without a length; and with gzip taken for a transfer encoding, which must not be undone."""
    server.answers[IMAGES_FILE] = [answer]
    check(load(server, tmp_path))
    assert (tmp_path / IMAGES_FILE).read_bytes() == PACKED[IMAGES_FILE]


def test_no_server_at_all(server, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(data.DownloadError, match=r"train-images.*failed 4 times.*ConnectionError"):
        data.mnist(folder=tmp_path, url=f"http://127.0.0.1:{port}", registry=REGISTRY)


def test_the_next_mirror_is_tried(server, tmp_path, monkeypatch):
    server.files |= {f"second/{file}": content for file, content in PACKED.items()}
    server.answers[IMAGES_FILE] = server.answers[LABELS_FILE] = [404]
    monkeypatch.setattr(downloads, "MNIST_MIRRORS", (f"{server.url}/mnist", f"{server.url}/second/mnist"))
    check(data.mnist(folder=tmp_path, registry=REGISTRY))
    assert [name for name, _ in server.requests][:2] == [IMAGES_FILE, f"second/{IMAGES_FILE}"]


def test_the_environment_names_folder_and_server(server, tmp_path, monkeypatch):
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path))
    monkeypatch.setenv("DLCOURSE_DATA_URL", server.url + "/")
    check(data.mnist(registry=REGISTRY))
    assert (tmp_path / IMAGES_FILE).exists()


def test_without_the_environment_the_users_cache_is_used(monkeypatch):
    import pooch

    monkeypatch.delenv("DLCOURSE_DATA", raising=False)
    assert downloads.chosen_folder(None) == pooch.os_cache("dlcourse")


def test_many_at_once_download_once(server, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        for dataset in pool.map(lambda _: load(server, tmp_path), range(4)):
            check(dataset)
    assert sorted(server.requests) == [(IMAGES_FILE, None), (LABELS_FILE, None)]


def test_fashion_mnist_has_a_folder_and_names_of_its_own(server, tmp_path):
    files = {file.replace("mnist/train", "fashion-mnist/t10k"): content for file, content in PACKED.items()}
    server.files = files
    registry = {file.replace("mnist/train", "fashion-mnist/t10k"): sha256 for file, sha256 in REGISTRY.items()}
    dataset = data.fashion_mnist("test", folder=tmp_path, url=server.url, registry=registry)
    check(dataset)
    assert (dataset.class_names[9], dataset.licence, dataset.name) == ("ankle boot", "MIT", "Fashion-MNIST (test)")


def test_the_real_sets_are_those_noted_when_they_were_checked():
    """A slip of the keyboard in a checksum would only show where there is a network."""
    begin = [value[:16] for registry in (downloads.MNIST, downloads.FASHION_MNIST) for value in registry.values()]
    assert begin == [
        "ba891046e6505d7a", "65a50cbbf4e906d7", "0fa7898d509279e4", "ff7bcfd416de3373",
        "c59f468a2f672dc8", "bad3541b69d91243", "5b4141f0afbad91e", "0402a96d92fd2663",
    ]
    assert {len(value) for value in (downloads.MNIST | downloads.FASHION_MNIST).values()} == {64}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"expected an idx file of bytes with 3 axes, got one that begins b''"),
        (idx(LABELS), r"expected an idx file of bytes with 3 axes"),
        (b"\0\0\x0d\3" + idx(PIXELS)[4:], r"expected an idx file of bytes"),           # 0x0d: floats
        (idx(PIXELS)[:-1], r"expected 376320 bytes for shape \(480, 28, 28\), got 376319"),
        (idx(PIXELS) + b"x", r"expected 376320 bytes for shape \(480, 28, 28\), got 376321"),
    ],
)
def test_what_is_no_idx_file_is_refused(server, tmp_path, content, message):
    """Even where the checksum is the expected one: a registry can be wrong."""
    server.files[IMAGES_FILE] = gzip.compress(content)
    registry = REGISTRY | {IMAGES_FILE: hashlib.sha256(content).hexdigest()}
    with pytest.raises(ValueError, match="train-images-idx3-ubyte.gz: " + message):
        data.mnist(folder=tmp_path, url=server.url, registry=registry)


# ---------------------------------------------------------------- bad input, and the browser

RNG = np.random.default_rng(0)
BAD_CALLS = [
    (lambda: data.mnist("validation"), ValueError, "part: expected one of 'train', 'test', got 'validation'"),
    (lambda: data.mnist(folder=3), TypeError, "folder: expected a path, got int 3"),
    (lambda: data.mnist(url=b"http://"), TypeError, "url: expected a string, got bytes"),
    (lambda: data.mnist(registry={}), ValueError, "registry: expected an entry 'mnist/train-images-idx3-ubyte.gz'"),
    (lambda: data.mnist_5k("dev"), ValueError, "part: expected one of 'all', 'train', 'validation', 'test'"),
    (lambda: data.digits(dtype=np.int64), ValueError, "dtype: expected one of 'float32', 'float64', got 'int64'"),
    (lambda: data.iris(dtype="real"), TypeError, "dtype: expected float32 or float64, got 'real'"),
    (lambda: data.xor(3, 0.1, rng=RNG), ValueError, "n: expected an integer at least 4, got 3"),
    (lambda: data.xor(8, -0.1, rng=RNG), ValueError, r"noise: expected a number in \[0, inf\), got -0.1"),
    (lambda: data.xor(8, 0.1, rng=0), TypeError, "rng: expected a numpy.random.Generator"),
    (lambda: data.xor(8, 0.1, rng=RNG, dtype=int), ValueError, "dtype: expected one of"),
    (lambda: data.blobs(9, 0.1, num_classes=0, rng=RNG), ValueError, "num_classes: expected an integer at least 1"),
    (lambda: data.blobs(9, 0.1, dim=1, rng=RNG), ValueError, "dim: expected an integer at least 2"),
    (lambda: data.blobs(9, 0.1, radius=-1, rng=RNG), ValueError, "radius: expected a number in"),
    (lambda: data.blobs(4, 0.1, num_classes=5, rng=RNG), ValueError, "n: expected an integer at least 5, got 4"),
    (lambda: data.moons(2.0, 0.1, rng=RNG), TypeError, "n: expected an integer, got float 2.0"),
    (lambda: data.moons(8, "a", rng=RNG), TypeError, "noise: expected a number, got str 'a'"),
    (lambda: data.circles(8, 0.1, factor=1, rng=RNG), ValueError, r"factor: expected a number in \[0, 1\), got 1"),
    (lambda: data.spirals(8, 0.1, num_classes=1, rng=RNG), ValueError, "num_classes: expected an integer at least 2"),
    (lambda: data.spirals(8, 0.1, turns=np.nan, rng=RNG), ValueError, "turns: expected a number"),
    (lambda: data.separable(8, 0, rng=RNG), ValueError, r"margin: expected a number in \(0, inf\), got 0"),
    (lambda: data.separable(1, 0.1, rng=RNG), ValueError, "n: expected an integer at least 2, got 1"),
    (lambda: data.separable(8, 0.1, dim=0, rng=RNG), ValueError, "dim: expected an integer at least 1, got 0"),
    (lambda: data.noisy_sine(0, 0.1, rng=RNG), ValueError, "n: expected an integer at least 1, got 0"),
    (lambda: data.noisy_sine(5, 0.1, rng=None), TypeError, "rng: expected a numpy.random.Generator"),
    (lambda: data.split(data.iris(), (0.6, 0.2), rng=RNG), ValueError, "parts: expected shares that sum to 1.*to 0.8"),
    (lambda: data.split(data.iris(), (0.6, 0.6), rng=RNG), ValueError, "parts: expected shares that sum to 1.*to 1.2"),
    (lambda: data.split(data.iris(), (1.5, -0.5), rng=RNG), ValueError, r"parts\[0\]: expected a number in \(0, 1\]"),
    (lambda: data.split(data.iris(), (1.0, 0.0), rng=RNG), ValueError, r"parts\[1\]: expected a number in \(0, 1\]"),
    (lambda: data.split(data.iris(), (0.5, 75), rng=RNG), TypeError, "parts: expected shares only or sizes only"),
    (lambda: data.split(data.iris(), (0.5, "x"), rng=RNG), TypeError, r"parts\[1\]: expected a number, got str 'x'"),
    (lambda: data.split(data.iris(), (100, 51), rng=RNG), ValueError, "parts: expected sizes that sum to at most 150"),
    (lambda: data.split(data.iris(), (100, 0), rng=RNG), ValueError, r"parts\[1\]: expected an integer at least 1"),
    (lambda: data.split(data.iris(), (0.999, 0.001), rng=RNG), ValueError, "parts: expected at least one example in"),
    (lambda: data.split(data.iris(), (), rng=RNG), TypeError, "parts: expected a sequence"),
    (lambda: data.split(data.iris(), 0.5, rng=RNG), TypeError, "parts: expected a sequence of shares or of sizes"),
    (lambda: data.split(data.iris(), rng=1), TypeError, "rng: expected a numpy.random.Generator"),
    (lambda: data.split([1, 2], rng=RNG), TypeError, "data: expected a Dataset or a tuple of arrays"),
    (lambda: data.split(np.zeros(3), rng=RNG), TypeError, "data: expected a Dataset or a tuple of arrays"),
    (lambda: data.split((np.zeros(3), np.zeros(4)), rng=RNG), ValueError, r"data\[1\]: expected as many rows as"),
    (lambda: data.Dataset(np.zeros(3), np.zeros(4), name="", source="", licence=""), ValueError,
     "y: expected as many rows as x"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_generators_and_split_need_nothing_but_numpy():
    """As in the browser, where there is no scikit-learn, torch, pooch or tqdm."""
    absent = ["torch", "sklearn", "scipy", "mlxtend", "pooch", "requests", "filelock", "tqdm", "matplotlib"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        "import numpy as np\n"
        "from dlcourse import data\n"
        "rng = np.random.default_rng(0)\n"
        "train, test = data.split(data.moons(10, 0.1, rng=rng), (0.5, 0.5), rng=rng)\n"
        "print(len(train), len(test))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout.split() == ["5", "5"], result.stderr

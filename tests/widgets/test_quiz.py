"""Reading checks: files are checked when they are read, each is shown once, and their numbers are right."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from dlcourse import initializers, normalization
from dlcourse.activations import sigmoid
from dlcourse.autodiff import tensor
from dlcourse.delta_rule import DeltaRuleNetwork
from dlcourse.gradcheck import relative_error
from dlcourse.losses import CrossEntropyLoss, MultiClassHingeLoss
from dlcourse.mlp import MLP
from dlcourse.module import Parameter, Sequential
from dlcourse.neurons import Perceptron
from dlcourse.optim import SGD, Adam
from dlcourse.widgets import host, quiz

CHAPTERS = Path(__file__).parents[2] / "chapters"
FILES = sorted((CHAPTERS / "quiz").glob("*.toml"))
QUESTIONS = {(path.stem, name): question for path in FILES
             for name, question in quiz.load(path.stem, path.parent).items()}
every_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda q: f"{q.chapter}:{q.name}")


def texts(question):
    return [question.question, *(text for option in question.options for text in (option.text, option.why))]


def says(chapter, name, *words):
    """Tell whether a question says all of this somewhere."""
    everything = " ".join(texts(QUESTIONS[chapter, name]))
    return all(word in everything for word in words)


# --- Files ---------------------------------------------------------------------------------------

OPTION = '[[q.options]]\ntext = "{}"\nright = {}\nwhy = "It teaches at least forty characters to a reader."\n'
GOOD = 'q.question = "What is the capital of France?"\n' + "".join(
    OPTION.format(text, right) for text, right in (("Paris.", "true"), ("Lyon.", "false"), ("Nice.", "false")))


def loaded(folder, text):
    (folder / "f.toml").write_text(text, encoding="utf-8")
    return quiz.load("f", folder)


def test_a_good_file_is_read(tmp_path):
    question = loaded(tmp_path, GOOD)["q"]
    assert [option.right for option in question.options] == [True, False, False]
    assert not question.several
    assert loaded(tmp_path, GOOD.replace("right = false", "right = true", 1))["q"].several


BAD = {
    "not TOML": (GOOD.replace('"Lyon."', '"Lyon.'), ValueError, r"^f\.toml: not TOML: "),
    "no table": ("q = 3", TypeError, r"^f\.toml, q: expected a table with question, options, got int 3"),
    "no question": (GOOD.split("\n", 1)[1], ValueError, r"^f\.toml, q\.question: missing"),
    "short question": (GOOD.replace("What is the capital of France?", "Why?"), ValueError,
                       r"^f\.toml, q\.question: expected at least 20 characters, got str 'Why\?'"),
    "no options": (GOOD.split("\n", 1)[0], ValueError, r"^f\.toml, q\.options: missing"),
    "options not a list": ('q.question = "What is the capital of France?"\nq.options = "none"', TypeError,
                           r"^f\.toml, q\.options: expected a list of tables, got str 'none'"),
    "two options": (GOOD[: GOOD.rindex("[[")], ValueError, r"^f\.toml, q\.options: expected 3 to 8 of them, got 2"),
    "option no table": ('q.question = "What is the capital of France?"\nq.options = [1, 2, 3]', TypeError,
                        r"^f\.toml, q\.options\[0\]: expected a table with text, right, why, got int 1"),
    "no text": (GOOD.replace('text = "Lyon."\n', ""), ValueError, r"^f\.toml, q\.options\[1\]\.text: missing"),
    "empty text": (GOOD.replace("Lyon.", " "), ValueError,
                   r"^f\.toml, q\.options\[1\]\.text: expected at least 1 characters, got str ''"),
    "right is a word": (GOOD.replace("right = true", 'right = "yes"'), TypeError,
                        r"^f\.toml, q\.options\[0\]\.right: expected true or false, got str 'yes'"),
    "right is a number": (GOOD.replace("right = true", "right = 1"), TypeError, r"\.right: expected true or false"),
    "why missing": (re.sub(r"why.*\n$", "", GOOD), ValueError, r"^f\.toml, q\.options\[2\]\.why: missing"),
    "why too short": (re.sub(r"(why = ).*\n$", r'\1"So."', GOOD), ValueError,
                      r"^f\.toml, q\.options\[2\]\.why: expected at least 40 characters"),
    "why not a text": (re.sub(r"(why = ).*\n$", r"\1[1]", GOOD), TypeError,
                       r"^f\.toml, q\.options\[2\]\.why: expected a text, got list"),
    "unknown field": (GOOD.replace("why", "hint = 1\nwhy", 1), ValueError,
                      r"^f\.toml, q\.options\[0\]\.hint: expected no other field than text, right, why"),
    "unknown field of the question": ("q.answer = 1\n" + GOOD, ValueError,
                                      r"^f\.toml, q\.answer: expected no other field than question, options"),
    "nothing right": (GOOD.replace("right = true", "right = false"), ValueError,
                      r"^f\.toml, q\.options: expected at least one that is right and one that is not"),
    "all right": (GOOD.replace("right = false", "right = true"), ValueError, "one that is right and one that is not"),
    "twice the same": (GOOD.replace("Lyon", "Nice"), ValueError,
                       r"^f\.toml, q\.options: expected different texts, got the same twice"),
    "script": (GOOD.replace("Lyon.", "<script>alert(1)</script>"), ValueError,
               r"^f\.toml, q\.options\[1\]\.text: expected text with <code>, <i>, <sub>, <sup> only .*got <script>"),
    "attribute": (GOOD.replace("Lyon.", "<i onclick='x()'>Lyon</i>"), ValueError, r"got <i onclick='x\(\)'>"),
    "empty element": (GOOD.replace("Lyon.", "<i/>Lyon"), ValueError, "got <i/>"),
    "never ends": (GOOD.replace("Lyon.", "<i>Lyon."), ValueError, "got <i> without its end"),
    "crossed": (GOOD.replace("Lyon.", "<i>L<sub>y</i></sub>"), ValueError, "got </i> without its <i>"),
    "comment": (GOOD.replace("Lyon.", "L<!-- x -->yon."), ValueError, "got a comment"),
    "declaration": (GOOD.replace("Lyon.", "<!doctype html>Lyon."), ValueError, "got a comment"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_file_question_and_field(tmp_path, case):
    text, error, message = BAD[case]
    assert text != GOOD
    with pytest.raises(error, match=message):
        loaded(tmp_path, text)


def test_a_missing_file_and_an_unknown_question_are_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"chapter: expected the file .*g\.toml, which does not exist"):
        quiz.load("g", tmp_path)
    monkeypatch.chdir(CHAPTERS)
    with pytest.raises(ValueError, match=r"name: expected one of 'update', 'theorem', 'xor', got 'nothing'"):
        quiz.show_quiz("02_perceptron", "nothing")


def test_texts_are_escaped():
    assert quiz.clean("a < b &amp; <i>c</i> & <code>d</code> &lt;b&gt;  x\n y", "here") == (
        "a &lt; b &amp; <i>c</i> &amp; <code>d</code> &lt;b&gt; x y")


# --- The questions of the book -------------------------------------------------------------------

def cells_of(path):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", sorted(CHAPTERS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_each_question_of_a_chapter_is_shown_once(path):
    shown = []
    for cell in cells_of(path):
        found = re.findall(r'show_quiz\("(\w+)", "(\w+)"\)', "".join(cell["source"]))
        assert not found or cell["metadata"]["tags"] == ["remove-input"]
        shown += found
    assert sorted(shown) == sorted(key for key in QUESTIONS if key[0] == path.stem)
    assert 2 <= len(shown) <= 3


@every_question
def test_question_is_written_as_the_chapters_are(question):
    assert question.question.endswith("?")
    assert len(question.question) < 320
    for text in texts(question):
        assert "!" not in text
        without_names = re.sub(r"\b(LeNet|ResNet|VGG)-\d+", "", text)
        assert not re.search(r"[A-Za-z]-\d|\$|\\", without_names), "a minus sign is −, and there is no TeX"
    for option in question.options:
        assert option.text[-1] in ".?"
        assert option.why.endswith(".")
        assert len(option.why) < 420


def test_the_right_answer_has_no_favourite_place():
    places = [[option.right for option in question.options].index(True) for question in QUESTIONS.values()]
    assert all(places.count(place) <= len(places) / 2 for place in range(4))
    assert set(places) == {0, 1, 2, 3}


@every_question
def test_question_carries_both_forms_into_a_notebook(question):
    bundle = quiz.ShownQuiz(question)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    for text in texts(question):
        assert text in bundle["text/html"]
    about = json.loads(json.dumps(question.about()))
    assert [option["right"] for option in about["options"]] == [option.right for option in question.options]
    assert about["several"] == (sum(option.right for option in question.options) > 1)


def test_the_module_computes_nothing_and_asks_nobody():
    source = (Path(quiz.__file__).parent / "quiz.js").read_text()
    assert re.match(r'import \{[^}]*\} from "\./kit\.js";\n', source)
    assert source.count("import ") == 1
    assert not re.search(r"save_changes|fetch\(|XMLHttpRequest|https?:|model\.set", source)
    alone = host.script("quiz")
    assert not re.search(r"^(import|export (?!default))", alone, re.MULTILINE)
    declared = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", alone, re.MULTILINE)
    assert len(declared) == len(set(declared))
    assert "quiz" not in host.NAMES


# --- What the explanations say -------------------------------------------------------------------

def test_pieces():
    grid = np.linspace(0, 1, 2**13 + 1)[:, None]

    def count(values):
        return 1 + np.count_nonzero(np.abs(np.diff(values, 2)) * 2**13 > 1e-6)

    fold = MLP([1, 2, 1], rng=np.random.default_rng(0))
    for parameter, value in zip(fold.parameters(), ([[1], [1]], [0, -0.5], [[2, -4]], [0]), strict=True):
        parameter.data[...] = value
    assert [count(Sequential(*[fold] * number)(grid)[:, 0]) for number in (10, 11)] == [1024, 2048]

    wide = MLP([1, 20, 1], rng=np.random.default_rng(0))
    wide.parameters()[0].data[...] = 1
    wide.parameters()[1].data[...] = -np.arange(1, 21) / 32          # kinks on the grid
    assert count(wide(grid)[:, 0]) == 21
    assert says("01_introduction", "pieces", "1,024", "1,023", "2,048", "20 units give at most 21 pieces")


def test_codes():
    properties = np.array([[number >> bit & 1 for bit in range(6)] for number in range(64)])
    distributed = np.hstack([1 - properties, properties]).astype(float)
    weights = properties @ np.array([1.0, 2, 4, 3, 5, 7])
    for seed in range(20):
        seen, unseen = np.split(np.random.default_rng(seed).permutation(64), [16])
        learned = np.linalg.lstsq(distributed[seen], weights[seen], rcond=None)[0]
        np.testing.assert_allclose(distributed[unseen] @ learned, weights[unseen], atol=1e-9)
    assert says("01_introduction", "codes", "the other 48", "64 objects", "sixteen")


def test_update():
    unit, x = Perceptron(2), np.array([1.0, 1.0])
    unit.weight.data[:], unit.bias.data[...] = (-4, -5), -1
    scores = []
    while unit.update(x, 1):
        scores.append(float(unit.score(x)))
    assert scores == [-7, -4, -1, 2]
    table = Perceptron(2)
    xs, ys = np.array([[1.0, 2], [2, 0], [1, 1]]), np.array([-1, 1, 1])
    right = []
    for i in range(3):
        right.append(table(xs[:1])[0] == -1)
        table.update(xs[i], ys[i])
    assert right[2]
    assert table(xs[:1])[0] == 1                                       # the update for C has undone A
    assert says("02_perceptron", "update", "from −10 to −7", "three more")


def test_a_step_size_changes_no_sign():
    xs, ys = np.random.default_rng(0).normal(size=(30, 3)), np.random.default_rng(1).choice([-1, 1], 30)
    runs = []
    for step in (1, 4):
        line, wrong = np.zeros(3), []
        for x, y in zip(np.tile(xs, (3, 1)), np.tile(ys, 3), strict=True):
            wrong.append(y * (line @ x) <= 0)
            line = line + step * wrong[-1] * y * x
        runs.append((wrong, line))
    assert runs[0][0] == runs[1][0]
    np.testing.assert_allclose(4 * runs[0][1], runs[1][1])


def test_theorem():
    assert round(math.sqrt(500), 1) == 22.4
    assert says("02_perceptron", "theorem", "22.4", "a 22nd")
    run, _ = host.evaluate("perceptron_line", host.defaults("perceptron_line", margin=0.02))
    assert 117_500 < run["bound"] < 118_500
    assert says("02_perceptron", "theorem", "margin of 0.02", "about 118,000")


def test_xor():
    corners, labels = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([-1, 1, 1, -1])
    product = np.column_stack([corners, corners.prod(axis=1)])
    gates = np.column_stack([corners.max(axis=1), corners.min(axis=1)])
    for seed in range(20):
        unit = Perceptron(2)
        unit.weight.data[:] = np.random.default_rng(seed).normal(size=2)
        assert unit.fit(corners, labels, max_epochs=200)["mistakes"][-1] > 0
    for inputs in (product, gates):
        assert Perceptron(inputs.shape[1]).fit(inputs, labels, max_epochs=200)["mistakes"][-1] == 0


def test_deltas():
    net = DeltaRuleNetwork([2, 2, 1], rng=np.random.default_rng(0))
    net.weights[0].data[:] = [[0.4, -0.2], [-0.3, 0.8]]
    found = {}
    for weight in (-0.5, 0.5):
        net.weights[1].data[:] = [[0.6, weight]]
        deltas = np.concatenate(net.deltas_loops(np.array([1.0, 0.5]), np.array([1.0])))
        found[weight] = *deltas, net.activations[-1][0]
    before, after = found[-0.5], found[0.5]
    assert before[1] < 0 < after[1]
    assert 0 < after[0] < before[0]
    assert says("03_backpropagation", "deltas", *(f"{value:.4f}" for value in (*before[2:], *after[2:])))


def test_branch():
    x = tensor(3.0, requires_grad=True)
    y = x * x
    (2.0 * y).backward()
    assert x.grad == 12
    assert y.item() * 2 == 18
    assert QUESTIONS["03_backpropagation", "branch"].options[1].text == "12."


def test_gradcheck():
    rng = np.random.default_rng(0)
    net = DeltaRuleNetwork([4, 5, 3], rng=rng)
    batch, wanted = rng.normal(size=(6, 4)), rng.uniform(size=(6, 3))
    W = net.weights[0].data.copy()
    directions = rng.normal(size=(20, 5, 4))
    exact = (-net.deltas(batch, wanted)[0].T @ batch * directions).sum(axis=(1, 2))

    def error_at(step):
        values = []
        for v in directions:
            net.weights[0].data = W + step * v
            values.append(net.error(batch, wanted))
        return np.array(values)

    quotients = {eps: (error_at(eps) - error_at(-eps)) / (2 * eps) for eps in (1e-4, 1e-5, 1e-6)}
    assert relative_error(quotients[1e-5], exact) < 1e-8               # one part in a hundred million
    for quotient in quotients.values():                                # a wrong gradient is wrong at each step
        assert round(relative_error(quotient, 1.002 * exact), 4) == pytest.approx(0.002, abs=2e-4)


def test_cure():
    a = sigmoid(np.array(-5.0))
    squared, entropy = 2 * (1 - a) * a * (1 - a), 1 - a
    assert round(float(squared), 3) == 0.013
    assert round(float(entropy), 3) == 0.993
    assert 74 < entropy / squared < 77
    assert 0.9e-6 < 0.25**10 < 1e-6
    assert says("04_activations_losses", "cure", "about 75-fold", "0.013", "0.993", "at best a millionth")


def test_cure_holds_in_every_layer():
    """The first layer's gradient grows by exactly the factor by which the output's does."""
    rng = np.random.default_rng(0)
    net = MLP([3] + [8] * 10 + [1], "sigmoid", rng=rng)
    z = net(rng.normal(size=(1, 3)))
    a, lengths = sigmoid(z), []
    for out in (2 * (a - 1) * a * (1 - a), a - 1):
        net.zero_grad()
        net.backward(out)
        lengths.append([np.linalg.norm(net.parameters()[i].grad) for i in (0, -2)])
    factors = np.divide(*lengths)
    assert factors[0] == pytest.approx(factors[1])


def test_lead():
    start = np.array([[2.5, 1.0, -1.0]])
    hinge, ce = MultiClassHingeLoss(), CrossEntropyLoss()
    assert hinge(start, np.array([0])) == 0
    assert not hinge.backward().any()
    hinge(start, np.array([2]))
    assert hinge.backward().tolist() == [[1, 1, -2]]
    for true, gradient in ((0, "(−0.202, 0.178, 0.024)"), (2, "(0.798, 0.178, −0.976)")):
        ce(start, np.array([true]))
        assert gradient == "(" + ", ".join(f"{g:.3f}".replace("-", "−") for g in ce.backward()[0]) + ")"
        assert says("04_activations_losses", "lead", gradient)
    leads, scores = [], start.copy()
    for _ in range(3000):
        ce(scores, np.array([0]))
        scores = scores - 0.5 * ce.backward()
        leads.append(scores[0, 0] - scores[0, 1:].max())
    gains = np.diff(leads)
    assert (gains > 0).all()
    assert (np.diff(gains) < 0).all()


def steps_until(steep, lr, share):
    p = Parameter(np.array([-10.0, 1.0]))
    loss = lambda: 0.5 * (p.data[0] ** 2 + steep * p.data[1] ** 2)     # noqa: E731
    goal, steps, optimizer = share * loss(), 0, SGD([p], lr)
    while loss() > goal:
        p.grad = p.data * [1, steep]
        optimizer.step()
        steps += 1
    return steps


def test_rate():
    assert (steps_until(10, 2 / 11, 1e-6), steps_until(5, 1 / 3, 1e-6)) == (35, 18)
    assert says("05_optimization", "rate", "takes 18 steps", "it took 35 before", "9/11 = 0.82", "4/6 = 0.67")
    assert (round(9 / 11, 2), round(4 / 6, 2), 2 / 10, 2 / 5) == (0.82, 0.67, 0.2, 0.4)
    np.testing.assert_allclose([1 - 0.39 * 5, 1 - 1 / 3, 1 - 5 / 3], [-0.95, 2 / 3, -2 / 3])
    assert steps_until(5, 0.39, 1e-6) > 2 * 18


def test_adam():
    rng = np.random.default_rng(0)
    p = Parameter(np.zeros(401))
    optimizer = Adam([p], lr=1.0)
    for _ in range(1000):
        p.grad = np.append(0.001, 100 * rng.choice([-1.0, 1.0], 400))  # the second weight, drawn 400 times
        optimizer.step()
    assert p.data[0] == pytest.approx(-1000, rel=1e-4)
    # A walk of 1,000 steps of 1: √(2000 / π) = 25.2, and 400 of them vary by 19 / √400 = 1 about that.
    assert np.mean(np.abs(p.data[1:])) == pytest.approx(25.2, abs=4)
    assert says("05_optimization", "adam", "ends 1,000 η away", "about 25 η away on average")


def test_init():
    forward, backward = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        a, weights, masks = rng.standard_normal((64, 128)), [], []
        for _ in range(20):
            weights.append(initializers.xavier_normal((128, 128), rng=rng))
            z = a @ weights[-1].T
            masks.append(z > 0)
            a = np.maximum(z, 0)
        forward.append(np.mean(a**2))
        da = rng.standard_normal((64, 128))
        for W, mask in zip(weights[::-1], masks[::-1], strict=True):
            da = (da * mask) @ W
        backward.append(np.mean(da**2))
    for sizes in (forward, backward):
        assert 700 < 1 / np.sqrt(np.median(sizes)) < 1500
    assert says("05_optimization", "init", "2<sup>−20</sup>", "2<sup>−10</sup>")


def test_shrink():
    draws = 5 + 2 * np.random.default_rng(0).standard_normal((200_000, 4)).mean(axis=1)
    errors = {factor: 4 + np.mean((factor * draws - 5) ** 2) for factor in (1, 0.5)}
    assert errors[1] == pytest.approx(5, abs=0.02)
    assert errors[0.5] == pytest.approx(4 + 6.25 + 0.25, abs=0.03)
    assert says("06_regularization", "shrink", "4 + 6.25 + 0.25 = 10.5", "4 + 0 + 1 = 5", "against 10.5")


def test_threshold():
    tried = np.linspace(-40, 40, 80_001)
    for penalty, place in ((np.abs(tried), 29), (tried**2, 10)):
        assert tried[np.argmin(0.5 * (tried - 30) ** 2 + penalty)] == pytest.approx(place, abs=1e-3)
    assert QUESTIONS["06_regularization", "threshold"].options[0].text == "L1 at 29, L2 at 10."


def test_batchnorm():
    x_hat, _, _, std = normalization._standardize(np.array([1.0, 7, 7, 9]), (0,), 1e-12)
    assert std == pytest.approx(3)
    for upstream in (np.ones(4), x_hat):
        down = normalization._standardize_backward(upstream, x_hat, std, (0,))
        np.testing.assert_allclose(down, 0, atol=1e-9)

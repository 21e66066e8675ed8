"""The twin contract: every public name has its twin, the same arguments, and a parity case."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import dlcourse
import tests.parity  # noqa: F401  (registers the cases)
from dlcourse.parity import CASES, argument_names, public_names, twin_modules

PACKAGE = Path(dlcourse.__file__).parent

# Rooms that the maths never imports: they have no twin because they are not taught.
ROOMS = {
    "__main__": "the commands of the course",
    "architectures": "full-size networks in PyTorch; their blocks have references",
    "checks": "checks of a learner's answers",
    "data": "loads data for both halves",
    "devices": "chooses a torch device",
    "gradcheck": "checks references; torch.autograd.gradcheck is its relative, not its twin",
    "grading": "the instructor's side: grades untrusted notebooks",
    "interop": "moves weights between the halves",
    "notebook": "what chapters show",
    "page": "what a live page asks of the Python in the browser",
    "parity": "this contract",
    "patches": "finds the patches of images for convolution; writes numbers elsewhere, computes none",
    "plotting": "figures",
    "progress": "progress bars",
    "validation": "checks arrays",
    "validation_torch": "checks tensors",
    "widgets": "pictures over the references, computed by them",
}
TOPICS = [topic for topic in twin_modules() if topic not in ROOMS]


def top_level_modules():
    return sorted(info.name for info in pkgutil.iter_modules(dlcourse.__path__))


def test_every_module_is_a_twin_or_a_room():
    alone = [
        name
        for name in top_level_modules()
        if name not in ROOMS and name.removesuffix("_torch") not in TOPICS
    ]
    assert alone == [], f"neither a twin nor a declared room: {alone}"


def test_every_room_exists():
    assert set(ROOMS) <= set(top_level_modules())


@pytest.mark.parametrize("topic", TOPICS)
def test_twins_offer_the_same_names(topic):
    ours, theirs = public_names(f"dlcourse.{topic}"), public_names(f"dlcourse.{topic}_torch")
    assert sorted(ours) == sorted(theirs)


PUBLIC = [(topic, name) for topic in TOPICS for name in public_names(f"dlcourse.{topic}")]


@pytest.mark.parametrize(("topic", "name"), PUBLIC)
def test_twins_take_the_same_arguments(topic, name):
    ours = getattr(importlib.import_module(f"dlcourse.{topic}"), name)
    theirs = getattr(importlib.import_module(f"dlcourse.{topic}_torch"), name)
    expected, actual = argument_names(ours), argument_names(theirs)
    if theirs.__module__.startswith("torch"):  # torch's own class may take more, at the end
        actual = actual[: len(expected)]
    assert actual == expected


@pytest.mark.parametrize(("topic", "name"), PUBLIC)
def test_every_public_name_has_a_parity_case(topic, name):
    covered = {re.sub(r" \[.*\]$", "", case) for case in CASES}
    assert f"{topic}.{name}" in covered


def test_every_case_covers_a_public_name():
    known = {f"{topic}.{name}" for topic, name in PUBLIC}
    assert {re.sub(r" \[.*\]$", "", case) for case in CASES} <= known


@pytest.mark.parametrize("topic", TOPICS)
def test_references_import_no_torch_and_no_plotting(topic):
    source = (PACKAGE / f"{topic.replace('.', '/')}.py").read_text()
    found = re.findall(r"^\s*(?:from|import)\s+(torch|matplotlib|IPython|scipy|sklearn)\b", source, re.MULTILINE)
    assert found == []


@pytest.mark.parametrize("module", sorted({f"{t}{s}" for t in TOPICS for s in ("", "_torch")} | set(ROOMS)))
def test_public_things_have_docstrings(module):
    loaded = importlib.import_module(f"dlcourse.{module}")
    assert loaded.__doc__
    for name in public_names(f"dlcourse.{module}"):
        thing = getattr(loaded, name)
        if callable(thing) and thing.__module__.startswith("dlcourse"):
            assert inspect.getdoc(thing), f"{module}.{name} has no docstring"

"""What all widgets share: controls that check, numbers that travel, one name for two files."""

import base64
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import dlcourse.widgets as widgets
from dlcourse.widgets import codec, controls, host

FOLDER = Path(widgets.__file__).parent
every_widget = pytest.mark.parametrize("name", widgets.NAMES)


def test_each_widget_is_one_python_file_and_one_module():
    assert set(widgets.NAMES) == {path.stem for path in FOLDER.glob("*.js")} - {*host.MODULES, "quiz"}


@every_widget
def test_widget_describes_itself(name):
    about = json.loads(json.dumps(widgets.describe(name)))
    assert set(about) == {"name", "title", "about", "controls"}
    assert [control["name"] for control in about["controls"]] == list(widgets.defaults(name))
    assert about["title"][0].isupper()
    assert 40 <= len(about["about"]) <= 300
    labels = [control["label"] for control in about["controls"] if "label" in control]
    assert len(set(labels)) == len(labels)
    assert "!" not in about["about"] + "".join(labels)


@every_widget
def test_widget_computes_the_same_twice_and_fits_a_page(name):
    inputs = widgets.defaults(name)
    (first, _), (second, _) = widgets.evaluate(name, inputs), widgets.evaluate(name, inputs)
    assert codec.to_json(first) == codec.to_json(second)
    assert len(json.dumps(codec.to_json(first))) < 100_000     # it is part of the chapter's HTML


IMPORTS = r'(?:import \{[^}]*\} from "\./\w+\.js";\n)+'


def imports(source):
    """The imports at a module's top: from where, and which names."""
    found = re.findall(r'import \{([^}]*)\} from "\./(\w+)\.js";\n', re.match(IMPORTS, source).group())
    return [(module, {name.strip() for name in names.split(",")} - {""}) for names, module in found]


def declared(source):
    return re.findall(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", source, re.MULTILINE)


def test_shared_modules_are_a_kit_that_stands_alone_and_what_is_built_on_it():
    assert host.MODULES[0] == "kit"
    assert "import " not in (FOLDER / "kit.js").read_text()
    for module in host.MODULES[1:]:
        source = (FOLDER / f"{module}.js").read_text()
        assert "kit" in dict(imports(source))
        assert "export default" not in source


@pytest.mark.parametrize("name", [*host.MODULES[1:], *widgets.NAMES])
def test_modules_draw_and_do_not_compute(name):
    source = (FOLDER / f"{name}.js").read_text()
    found = imports(source)
    assert len({module for module, _ in found}) == len(found) == source.count("import "), "an import elsewhere"
    assert "kit" in dict(found)
    for module, names in found:
        assert module in host.MODULES, "from nothing else, and from no other widget"
        exported = re.findall(r"^export (?:function|class|const) (\w+)", (FOLDER / f"{module}.js").read_text(), re.M)
        assert names <= set(exported)
        assert all(re.search(rf"\b{one}\b", re.sub(IMPORTS, "", source)) for one in names), "imported and not used"
    assert not re.search(r"Math\.(exp|tanh|random|sinh|cosh)", source), "mathematics belongs in Python"
    assert not re.search(r"https?://(?!www\.w3\.org)", source)


@every_widget
def test_a_widgets_script_is_one_module(name):
    alone = host.script(name)
    assert not re.search(r"^\s*import\b|^export (?!default)", alone, re.MULTILINE)
    assert alone.count("export default") == 1
    names = declared(alone)
    assert len(names) == len(set(names)), "two of its modules declare the same name"
    own = (FOLDER / f"{name}.js").read_text()
    needed = {"kit", *dict(imports(own)), name}
    assert sorted(names) == sorted(one for part in needed for one in declared((FOLDER / f"{part}.js").read_text()))


def test_unknown_widget_and_control_are_named():
    with pytest.raises(ValueError, match="name: expected one of"):
        widgets.describe("nothing")
    with pytest.raises(TypeError, match="colour: activation_explorer has no such control; it has activation, z"):
        widgets.show_widget("activation_explorer", colour=1)
    with pytest.raises(ValueError, match=r"z: expected a number in \[-6, 6\], got 7.0"):
        widgets.show_widget("activation_explorer", z=7)
    with pytest.raises(TypeError, match="inputs: expected activation, z, layers, threshold, got z"):
        widgets.evaluate("activation_explorer", {"z": 1.0})


CHECKS = [
    (controls.Slider("s", "S", 0, 5, 1, 2), 3.0, 3),
    (controls.Slider("s", "S", 0.0, 5.0, 0.5, 2.0), 3, 3),
    (controls.Choice("c", "C", (("a", "A"), ("b", "B")), "a"), "b", "b"),
    (controls.Toggle("t", "T", True), False, False),
    (controls.Counter("n"), 4.0, 4),
]


@pytest.mark.parametrize(("control", "given", "expected"), CHECKS, ids=lambda value: getattr(value, "kind", None))
def test_controls_accept_what_javascript_sends(control, given, expected):
    value = control.check(given)
    assert value == expected
    assert type(value) is type(expected)


REFUSED = [
    (controls.Slider("s", "S", 0, 5, 1, 2), 2.5, "s: expected an integer, got float 2.5"),
    (controls.Slider("s", "S", 0, 5, 1, 2), 6, "s: expected an integer from 0 to 5, got 6"),
    (controls.Slider("s", "S", 0.0, 5.0, 0.5, 2.0), math.nan, "s: expected a number in"),
    (controls.Slider("s", "S", 0.0, 5.0, 0.5, 2.0), "2", "s: expected a number, got str '2'"),
    (controls.Choice("c", "C", (("a", "A"),), "a"), "z", "c: expected one of 'a', got 'z'"),
    (controls.Toggle("t", "T", True), 1, "t: expected True or False, got int 1"),
    (controls.Counter("n", high=9), 10, "n: expected an integer from 0 to 9, got 10"),
    (controls.Drawing("d", (2,), 0, 1, (0, 0)), [0, 2], "d: expected numbers from 0 to 1, got 0 to 2"),
    (controls.Drawing("d", (2,), 0, 1, (0, 0)), [0, 1, 1], r"d: expected shape \(2,?\), got \(3,\)"),
    (controls.Drawing("d", (2,), 0, 1, (0, 0)), [0, math.nan], "d: expected"),
    (controls.Drawing("d", (2,), 0, 1, (0, 0)), "ab", "d: expected numbers of shape"),
]


@pytest.mark.parametrize(("control", "value", "message"), REFUSED)
def test_controls_refuse_with_a_reason(control, value, message):
    with pytest.raises((TypeError, ValueError), match=message):
        control.check(value)


ARRAYS = [
    (np.arange(6.0).reshape(2, 3), "float64"), (np.arange(3, dtype=np.float32), "float32"),
    (np.arange(3), "int32"), (np.array([True, False]), "uint8"), (np.array([1, 2], np.uint8), "uint8"),
    (np.arange(6.0).reshape(2, 3).T, "float64"), (np.array(2.5), "float64"), (np.zeros((0, 3)), "float64"),
]


@pytest.mark.parametrize(("array", "dtype"), ARRAYS)
def test_arrays_survive_the_way_to_the_page(array, dtype):
    packed = codec.to_json(codec.encode({"a": array}))["a"]
    assert packed["dtype"] == dtype
    back = np.frombuffer(base64.b64decode(packed["data"]), packed["dtype"]).reshape(packed["shape"])
    np.testing.assert_array_equal(back, array)


def test_plain_values_stay_plain_and_infinity_is_packed():
    value = {"n": np.int64(3), "x": np.float64(0.5), "b": np.bool_(True), "t": "text", "l": [1, (2.5, None)]}
    assert codec.encode(value) == {"n": 3, "x": 0.5, "b": True, "t": "text", "l": [1, [2.5, None]]}
    packed = codec.encode(math.inf)
    assert packed["shape"] == []
    assert np.frombuffer(packed["data"], "float64")[0] == math.inf
    with pytest.raises(TypeError, match="value: expected arrays, numbers, texts, lists or dicts of them, got set"):
        codec.encode({1, 2})


def test_widget_in_a_notebook_carries_both_forms():
    shown = widgets.show_widget("activation_explorer", activation="relu", z=2)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    widget = shown.widget
    assert widget.outputs["value"] == 2
    widget.inputs = {**widget.inputs, "z": 3.0}
    assert widget.outputs["value"] == 3
    widget.inputs = {**widget.inputs, "z": 30.0}
    assert widget.error == "z: expected a number in [-6, 6], got 30.0"
    assert widget.outputs["value"] == 3
    widget.inputs = {**widget.inputs, "z": 1.0}
    assert widget.error == ""

"""Exercises as pages of the book: answers are typed, checked and kept in the page, and saved as a notebook."""

import functools
import json
import re
import zlib
from itertools import product
from pathlib import Path

import nbformat
import pytest
from dlbook import execute
from dlbook.exercises import label

from dlcourse.page import Page
from tests import test_live, test_weight
from tests.built import HTML, ROOT, serious_barriers, soup
from tests.test_exercises import EXERCISES, build, instructor, wrong

compressing_site = test_weight.compressing_site     # a fixture

every_exercise = pytest.mark.parametrize("name", EXERCISES)


def address(name):
    return f"exercises/{name}/student/{name}.html"


@functools.cache
def student(name):
    """The files of the student's version as they lie there, which is what the book was built from."""
    folder = build.EXERCISES / name / "student"
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in folder.rglob("*") if path.suffix in (".ipynb", ".py")}


def notebook(name):
    return nbformat.reads(student(name)[f"{name}.ipynb"], as_version=4)


def tagged(name, tag):
    """The notebook's cells that have a tag."""
    return [cell for cell in notebook(name).cells if tag in cell.metadata.get("tags", [])]


def questions(name, tag="live-check"):
    """The questions that are checked in the page, or with ``lab-check`` those that are not."""
    return [cell.id.removeprefix("check-") for cell in tagged(name, tag)]


LIVE_QUESTIONS = [(name, question) for name in EXERCISES for question in questions(name)]
every_live_question = pytest.mark.parametrize(("name", "question"), LIVE_QUESTIONS)
FIRST, QUESTION = LIVE_QUESTIONS[0]


def solution(name, question):
    """The solution, a text for each of the question's cells."""
    cells = nbformat.reads(instructor(name)[f"{name}.ipynb"], as_version=4).cells
    return [cell.source for cell in cells if cell.metadata.get("dlcourse", {}).get("answer") == question]


def mistakes(name, question):
    """The bank of wrong answers to a question."""
    full = nbformat.reads(instructor(name)[f"{name}.ipynb"], as_version=4)
    return [answer for answer in wrong.wrong_answers(build.EXERCISES / name, full) if answer.question == question]


# --- What the build makes of a notebook -----------------------------------------------------------


def test_the_contents_list_every_exercise():
    links = [link["href"] for link in soup("chapters/index.html").select("nav.bd-links a[href*='exercises/']")]
    assert links == [f"../{address(name)}" for name in EXERCISES]


@every_exercise
def test_every_question_is_checked_in_the_page_or_in_the_lab(name):
    found = questions(name) + questions(name, "lab-check")
    assert sorted(found) == sorted(Path(path).stem for path in student(name) if path.startswith("tests/"))
    assert questions(name), "nothing can be solved in the page"
    for question in questions(name, "lab-check"):
        both = "\n".join([*solution(name, question), instructor(name)[f"tests/{question}.py"]])
        assert "torch" in both, f"{question} could be answered in the page"
    for cell in tagged(name, "live"):
        assert "torch" not in cell.source
    assert len(tagged(name, "live-setup")) == 1


def test_what_needs_torch_stays_in_the_lab():
    names = build.lab_names("import torch\nfrom torch import nn\nimport matplotlib.pyplot as plt")
    assert names == {"torch", "nn", "plt"}
    assert build.lab_names("from dlcourse import losses_torch as l, losses\nimport numpy as np") == {"l"}
    assert build.lab_names("from dlcourse.interop import to_torch\nfrom dlcourse.checks import check") == {"to_torch"}
    assert build.needs_lab("def f(x):\n    return nn.Linear(1, 1)(x)", names)
    assert build.needs_lab("def f(x):\n    import torch", set())
    assert not build.needs_lab('def f(x):\n    """As torch does."""\n    return x', names)
    assert build.only_imports("import numpy as np\nfrom a import b")
    assert not build.only_imports("import numpy as np\nx = 1")
    assert not build.only_imports("# nothing")


@every_exercise
def test_the_page_holds_buttons_instead_of_checks(name):
    page = soup(address(name)).select_one("article.bd-article")
    assert [json.loads(place.string) for place in page.select(".dl-check > script.dl-check-data")] == [
        {"question": question, "code": f'check("{question}")'} for question in questions(name)]
    code = [block.get_text() for block in page.select("div.cell pre")]
    assert not [text for text in code if text.startswith("check(")]
    assert "dlcourse-report" not in str(page)                  # what the checks say of an unsolved notebook
    notes = [note.get_text() for note in page.select(".dl-check-elsewhere")]
    assert [re.search(r'check\("(\w+)"\)', note)[1] for note in notes] == questions(name, "lab-check")
    for note in page.select(".dl-check-elsewhere"):
        assert note.find_previous_sibling().name == "h2"       # before anything is read, or tried in vain
    for question in questions(name):
        assert len(page.select(f"div.cell.tag_live.dl-answer-{question}")) == len(solution(name, question))


@every_exercise
def test_the_checks_travel_with_the_page(name):
    (files,) = soup(address(name)).select("script.dl-live-files")
    assert json.loads(files.string) == {
        f"tests/{question}.py": student(name)[f"tests/{question}.py"] for question in questions(name)}
    (script,) = soup(address(name)).select("script.dl-exercise-notebook")
    data = json.loads(script.string)
    assert data["name"] == f"{name}.ipynb"
    assert nbformat.from_dict(data["notebook"]) == notebook(name)
    assert [data["notebook"]["cells"][index]["id"] for index in data["live"]] == [c.id for c in tagged(name, "live")]


@every_exercise
def test_the_page_leads_to_its_chapter_and_can_be_referred_to(name):
    page = soup(address(name)).select_one("article.bd-article")
    (link,) = [link for link in page.select("a.reference.internal") if f"chapters/{name}.html" in link["href"]]
    title = soup(f"chapters/{name}.html").h1
    assert title.get_text().rstrip("#").endswith(link.get_text())
    inventory = zlib.decompress((HTML / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode()
    assert re.search(rf"^{label(name.split('_', 1)[1])} std:label \S+ {address(name)}#", inventory, re.MULTILINE)


def test_exercises_are_measured_apart_from_chapters():
    chapter, exercise = ROOT / "chapters" / f"{FIRST}.ipynb", build.EXERCISES / FIRST / "student" / f"{FIRST}.ipynb"
    names = [execute.name_of(chapter), execute.name_of(exercise)]
    assert names == [f"{FIRST}.ipynb", f"exercises/{FIRST}"]
    assert execute.divided(dict.fromkeys(names, 1)) == {"notebooks": {names[0]: 1}, "exercises": {names[1]: 1}}


def test_what_only_an_unsolved_exercise_shows_is_left_out(tmp_path):
    made = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell("import sys; print(1)"),
        nbformat.v4.new_code_cell("print(2); print('no', file=sys.stderr)", metadata={"dlcourse": {"answer": "q1"}}),
        nbformat.v4.new_code_cell("print('a report')", metadata={"tags": ["live-check"]}),
    ])
    nbformat.write(made, tmp_path / "made.ipynb")
    executed, _, _ = execute.execute(tmp_path / "made.ipynb")
    assert [[output.text for output in cell.outputs] for cell in executed.cells] == [["1\n"], ["2\n"], []]


def test_a_report_of_checks_comes_as_data(tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "q1.py").write_text(student(FIRST)[f"tests/{QUESTION}.py"])
    monkeypatch.chdir(tmp_path)
    page = Page()
    assert page.run("from dlcourse.checks import check")["ok"]
    result = page.run('check("q1")')
    assert (result["ok"], result["text"], result["report"]["passed"]) == (True, "", False)
    assert page.run('check("q1");') == {"ok": True, "text": ""}
    assert type(json.loads(json.dumps(result["report"]))["results"][0]["message"]) is str


def test_a_cell_that_fails_tells_whether_its_functions_are_there():
    page = Page()
    function = "def f(x):\n    return 1 / x\n"
    for code, there in [(f"{function}f(0)", True), (f"{function}f(0)\nf(1)", True), (f"{function}y = f(0)", True),
                        ("1 / 0", False), ("f(0)", False), (f"1 / 0\n{function}", False), ("def f(:", False),
                        (f"{function}f(0)\n{function}", False), ("def f(x=1 / 0):\n    pass", False)]:
        result = page.run(code)
        assert (result["ok"], result["defined"]) == (False, there), code


# --- In a browser ---------------------------------------------------------------------------------


class Exercise:
    """An exercise's page in a tab, handled as a reader does."""

    def __init__(self, tab, site, name):
        self.tab, self.name = tab, name
        test_live.visit(tab, site, address(name))

    def answers(self, question):
        return self.tab.locator(f".dl-answer-{question}").all()

    def place(self, question):
        return self.tab.locator(".dl-check").nth(questions(self.name).index(question))

    def type(self, question, texts):
        for cell, text in zip(self.answers(question), texts, strict=True):
            test_live.write(self.tab, cell, text)

    def press(self, question, name="Check"):
        self.place(question).get_by_role("button", name=f"{name}, question").click()

    def check(self, question):
        """Press Check and wait for the end; return what the page says."""
        place = self.place(question)
        place.evaluate("(place) => { delete place.dataset.live; }")
        self.press(question)
        self.tab.wait_for_function("(place) => ['done', 'error', 'stopped'].includes(place.dataset.live)"
                                   " && !place.querySelector('.dl-live-note').textContent.includes('ing')",
                                   arg=place.element_handle())
        return place.inner_text()

    def status(self, question):
        return self.place(question).locator(".dl-live-bar").inner_text()


def one_line(text):
    return " ".join(text.replace("`", "").split())


@every_exercise
def test_the_solutions_pass_in_a_browser(tab, site, name):
    page = Exercise(tab, site, name)
    for number, question in enumerate(questions(name), start=1):
        page.type(question, solution(name, question))
        said = page.check(question)
        assert page.place(question).locator(".dl-report-failed").count() == 0, said
        assert page.place(question).locator(".dl-report-all").count() == 1
        assert f"Solved: {number} of {len(questions(name))} questions" in said


@every_live_question
def test_an_untouched_answer_is_met_kindly_and_typical_mistakes_get_their_hints_in_a_browser(
        tab, site, name, question):
    page = Exercise(tab, site, name)
    said = page.check(question)
    assert "You have not changed this answer yet" in said
    assert "Traceback" not in said
    assert page.place(question).locator(".dl-report-failed").count() >= 1
    assert "Solved" not in said
    texts = solution(name, question)
    for answer in mistakes(name, question):
        page.type(question, [*texts[:-1], f"{texts[-1]}\n{answer.code}"])
        said = page.check(question)
        assert one_line(answer.hint) in one_line(said), answer.mistake
        assert "Solved" not in said


def test_an_answer_is_kept_until_reset_in_a_browser(tab, site):
    page = Exercise(tab, site, FIRST)
    texts = solution(FIRST, QUESTION)
    page.type(QUESTION, texts)
    assert "Solved" in page.check(QUESTION)
    tab.reload()
    page = Exercise(tab, site, FIRST)
    assert "Solved: 1 of" in page.status(QUESTION)               # known from the last visit, before Python is there
    for cell, text in zip(page.answers(QUESTION), texts, strict=True):
        assert text.split() == cell.locator(".cm-content").inner_text().split()
    page.type(QUESTION, [f"{text}\n# changed" for text in texts])
    assert "Solved" not in page.status(QUESTION)
    page.check(QUESTION)
    page.type(QUESTION, [f"{text}\n# changed once more" for text in texts])
    assert "The answer has changed since this check." in page.status(QUESTION)
    assert page.place(QUESTION).locator(".dl-report").count() == 1    # the hints stay while one works on them
    for cell in page.answers(QUESTION):
        test_live.press(cell, "Reset")
    assert page.place(QUESTION).locator(".dl-report").count() == 0
    originals = [cell.source for cell in notebook(FIRST).cells if cell.id.startswith(f"answer-{QUESTION}")]
    for cell, text in zip(page.answers(QUESTION), originals, strict=True):
        assert text.split() == cell.locator(".cm-content").inner_text().split()


@pytest.mark.parametrize(("code", "message"), [("def broken(:", "SyntaxError"), ("1 / 0", "ZeroDivisionError")])
def test_an_answer_that_does_not_run_is_not_checked_in_a_browser(tab, site, code, message):
    page = Exercise(tab, site, FIRST)
    page.type(QUESTION, [code, *solution(FIRST, QUESTION)[1:]])
    said = page.check(QUESTION)
    assert "Not checked: live cell" in said
    assert message in page.answers(QUESTION)[0].inner_text()
    assert page.place(QUESTION).locator(".dl-report").count() == 0


def test_an_answer_is_checked_though_its_last_line_fails_in_a_browser(tab, site):
    """Where the learner's own call meets the mistake, the hint is needed most."""
    page = Exercise(tab, site, FIRST)
    texts = solution(FIRST, QUESTION)
    page.type(QUESTION, [f"{texts[0]}\n\n1 / 0", *texts[1:]])
    said = page.check(QUESTION)
    assert "above failed after its functions were defined" in said
    assert page.place(QUESTION).locator(".dl-report-all").count() == 1
    assert "ZeroDivisionError" in page.answers(QUESTION)[0].inner_text()


def endless(name, question):
    """An answer whose functions never return."""
    code = "\n".join(solution(name, question))
    return re.sub(r"^(def .*:)$", r"\1\n    while True: pass", code, flags=re.MULTILINE)


def test_an_endless_loop_is_stopped_where_it_is_checked_in_a_browser(tab, site):
    page = Exercise(tab, site, FIRST)
    functions = [line for line in endless(FIRST, QUESTION).splitlines() if line.startswith(("def ", "    while"))]
    page.type(QUESTION, ["\n".join(functions), *[""] * (len(page.answers(QUESTION)) - 1)])
    page.press(QUESTION)
    place = page.place(QUESTION)
    tab.wait_for_function("(place) => place.dataset.live === 'running'", arg=place.element_handle())
    page.press(QUESTION, "Stop")
    assert "Stopped. Python starts afresh" in test_live.wait_for(place, "stopped")
    page.type(QUESTION, ["while True: pass", *[""] * (len(page.answers(QUESTION)) - 1)])     # now in the cell itself
    page.press(QUESTION)
    tab.wait_for_function("(cell) => cell.dataset.live === 'running'", arg=page.answers(QUESTION)[0].element_handle())
    page.press(QUESTION, "Stop")
    assert "Stopped before it ran." in test_live.wait_for(place, "stopped")
    page.type(QUESTION, solution(FIRST, QUESTION))
    assert "Solved" in page.check(QUESTION)


def test_what_an_answer_prints_stands_above_its_report_in_a_browser(tab, site):
    page = Exercise(tab, site, FIRST)
    page.type(QUESTION, [re.sub(r"^(def .*:)$", r"\1\n    print('<b>here</b>')", text, count=1, flags=re.MULTILINE)
                         for text in solution(FIRST, QUESTION)])
    page.check(QUESTION)
    first = page.place(QUESTION).locator(".dl-live-output > *").first
    assert first.inner_text().startswith("<b>here</b>")


def test_the_answers_are_saved_as_a_notebook_in_a_browser(tab, site, tmp_path):
    page = Exercise(tab, site, FIRST)
    texts = solution(FIRST, QUESTION)
    page.type(QUESTION, texts)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save as notebook").click()
    assert download.value.suggested_filename == f"{FIRST}.ipynb"
    download.value.save_as(tmp_path / "saved.ipynb")
    saved, expected = nbformat.read(tmp_path / "saved.ipynb", as_version=4), notebook(FIRST)
    nbformat.validate(saved)
    own = iter(texts)
    for cell in expected.cells:
        if cell.metadata.get("dlcourse", {}).get("answer") == QUESTION:
            cell.source = next(own)
    assert saved == expected


@every_exercise
def test_a_report_can_be_read_by_everyone_in_a_browser(tab, site, name):
    """On a phone and beside it, in both themes, with failed and passed checks on the page."""
    tab.set_viewport_size({"width": 390, "height": 800})
    page = Exercise(tab, site, name)
    page.type(questions(name)[-1], solution(name, questions(name)[-1]))
    for question in questions(name):
        page.check(question)
        output = page.place(question).locator(".dl-live-output")
        assert (output.get_attribute("role"), output.get_attribute("aria-live")) == ("status", "polite")
    assert tab.locator(".dl-report-failed").count() or len(questions(name)) == 1
    for summary in tab.locator("article details > summary").all():
        summary.focus()
        tab.keyboard.press("Enter")
        assert summary.evaluate("(summary) => summary.parentElement.open")
    for width, theme in product([390, 1280], ["light", "dark"]):
        tab.emulate_media(color_scheme=theme)
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
        assert tab.evaluate("""() => [...document.querySelectorAll(".dl-check .dl-live-output p")]
            .filter((line) => line.scrollWidth > line.clientWidth + 1).map((line) => line.innerText)""") == []
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert serious_barriers(tab) == []


@every_exercise
def test_the_page_is_whole_without_javascript_in_a_browser(tab_without_javascript, site, name):
    tab = tab_without_javascript
    tab.goto(f"{site}/{address(name)}")
    assert tab.get_by_text(f"To answer, open {name}.ipynb in JupyterLab").is_visible()
    assert not tab.get_by_text("Here on the page").is_visible()
    for question, place in zip(questions(name), tab.locator(".dl-check").all(), strict=True):
        assert place.inner_text() == (
            f'To check this answer, run check("{question}") in JupyterLab, in the notebook {name}.ipynb.')
    summary = tab.locator("article details > summary").first
    summary.press("Enter")
    assert summary.evaluate("(summary) => summary.parentElement.open")


@every_exercise
def test_a_page_from_a_folder_checks_too_in_a_browser(tab, name):
    """Opened by a double click, without any server."""
    page = Exercise(tab, HTML.as_uri(), name)
    assert "checks pass" in page.check(questions(name)[0])


@every_exercise
def test_the_page_weighs_little_in_a_browser(browser, compressing_site, name):
    test_weight.test_chapter_weighs_little(browser, compressing_site, address(name))

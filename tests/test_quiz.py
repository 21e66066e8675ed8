"""Reading checks in a real browser: by keyboard alone, in both themes, on a phone, and without Python."""

import json
from itertools import product

import pytest

from dlcourse.widgets import quiz
from tests.built import HTML, ROOT, barriers, soup

QUESTIONS = {f"{path.stem}:{name}": question for path in sorted((ROOT / "chapters" / "quiz").glob("*.toml"))
             for name, question in quiz.load(path.stem, path.parent).items()}
SINGLE = next(question for question in QUESTIONS.values() if not question.several)
SEVERAL = next(question for question in QUESTIONS.values() if question.several)
every_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)


def page_of(question):
    return f"chapters/{question.chapter}.html"


def data_on(page):
    return [json.loads(data.string)["about"] for data in soup(page).select(".dl-quiz-place script.dl-quiz-data")]


@pytest.fixture
def tab(tab):
    """The tab, in which no Python may be started either."""
    yield tab
    assert tab.workers == []
    assert [url for url in tab.asked if url.startswith("blob:") or "/live/runtime/" in url] == []


def visit(tab, root, question):
    """Open the page of a question and scroll there; returns the question, drawn."""
    tab.goto(f"{root}/{page_of(question)}")
    return drawn(tab, question)


def meet(tab, root, question):
    """Go to a question, unanswered, of a page that may be open already."""
    if tab.url != f"{root}/{page_of(question)}":
        return visit(tab, root, question)
    place = drawn(tab, question)
    try_again(place)
    return place


def place_of(tab, question):
    keys = [about["key"] for about in data_on(page_of(question))]
    return tab.locator(".dl-quiz-place").nth(keys.index(f"{question.chapter}:{question.name}"))


def drawn(tab, question):
    place = place_of(tab, question)
    place.scroll_into_view_if_needed()
    place.locator(".dl-quiz").wait_for()
    return place


def try_again(place):
    again = place.get_by_role("button", name="Try again")
    if again.is_visible():
        again.click()


def choose(place, chosen):
    """Choose these options and no others, and press Check."""
    try_again(place)
    for index in chosen:
        place.locator("input").nth(index).check()
    place.get_by_role("button", name="Check").click()
    return place.get_by_role("status").inner_text()


def focused(tab):
    """What has the focus: its value if it can be chosen, else its text."""
    return tab.evaluate("document.activeElement.value || document.activeElement.textContent")


def plain(tab, html):
    """The text of HTML as the browser shows it."""
    return tab.evaluate("(html) => new DOMParser().parseFromString(html, 'text/html').body.textContent", html)


@pytest.mark.parametrize("chapter", sorted({question.chapter for question in QUESTIONS.values()}))
def test_page_holds_the_questions_as_they_are_in_the_file(chapter):
    expected = [question.about() for question in QUESTIONS.values() if question.chapter == chapter]
    key = lambda about: about["key"]                                   # noqa: E731
    assert sorted(data_on(f"chapters/{chapter}.html"), key=key) == sorted(expected, key=key)


# One question to the page after each answer: there are many.
SEEN = """(place) => [
    place.querySelector(".dl-quiz").dataset.verdict,
    ...[".dlq-is-right", ".dlq-is-wrong"].map((marked) => place.querySelectorAll(marked).length),
    [...place.querySelectorAll("details")].map(({ textContent }) => textContent),
]"""


@every_question
def test_exactly_what_is_right_is_accepted_and_each_answer_explained(tab, site, question):
    place = meet(tab, site, question)
    right = tuple(option.right for option in question.options)
    reasons = [plain(tab, option.why) for option in question.options]
    size = len(question.options)
    tried = product([False, True], repeat=size) if question.several else (
        tuple(i == j for j in range(size)) for i in range(size))
    for choice in tried:
        chosen = [index for index, taken in enumerate(choice) if taken]
        if not chosen:
            continue
        said = choose(place, chosen)
        accepted = choice == right
        verdict, marked_right, marked_wrong, folds = place.evaluate(SEEN)
        assert verdict == ("right" if accepted else "wrong")
        assert said.startswith("✓ Right" if accepted else "✗ Not ")
        for index, why in enumerate(reasons):
            assert (why in said) == (index in chosen)
        assert marked_right == sum(right[index] for index in chosen)
        assert marked_wrong == sum(not right[index] for index in chosen)
        assert len(folds) == accepted
        for others in folds:                                           # what is wrong with the others
            for index, why in enumerate(reasons):
                assert (why in others) == (index not in chosen)


def begin_before(tab, place):
    """Put the keyboard's place just before a question."""
    place.evaluate("(place) => { place.tabIndex = -1; place.focus(); }")


def test_one_right_answer_by_keyboard_alone(tab, site):
    place, keys = visit(tab, site, SINGLE), tab.keyboard
    right = [option.right for option in SINGLE.options].index(True)
    wrong = 1 if right != 1 else 2
    begin_before(tab, place)
    status = place.get_by_role("status")
    keys.press("Tab")
    assert focused(tab) == "0"
    keys.press("Enter")                                                # nothing is chosen yet
    assert status.inner_text() == "Choose an answer first."
    keys.press("Space")
    for _ in range(wrong):
        keys.press("ArrowDown")
        assert status.inner_text() == ""                               # to walk through the options is not to answer
    assert focused(tab) == str(wrong)
    keys.press("Tab")
    assert focused(tab) == "Check"
    keys.press("Space")
    assert status.inner_text().startswith("✗ Not right.")
    assert plain(tab, SINGLE.options[wrong].why) in status.inner_text()
    assert focused(tab) == "Check"                                     # the focus stays where the reader is
    keys.press("Tab")
    assert focused(tab) == "Try again"
    keys.press("Enter")
    assert focused(tab) == "0"
    assert status.inner_text() == ""
    assert place.locator("input:checked").count() == 0
    keys.press("Space")
    for _ in range(right):
        keys.press("ArrowDown")
    keys.press("Enter")                                                # as in every form
    assert status.inner_text().startswith("✓ Right.")
    for label in ("Check", "Try again", "What is wrong with the others?"):
        keys.press("Tab")
        assert focused(tab) == label
    keys.press("Enter")
    assert place.locator("details[open] li:visible").count() == len(SINGLE.options) - 1


def test_several_right_answers_by_keyboard_alone(tab, site):
    place, keys = visit(tab, site, SEVERAL), tab.keyboard
    begin_before(tab, place)
    status = place.get_by_role("status")
    taken = 0
    for index, option in enumerate(SEVERAL.options):
        keys.press("Tab")
        assert focused(tab) == str(index)
        if option.right:
            keys.press("Space")
            keys.press("Enter")
            taken += 1
            complete = taken == sum(option.right for option in SEVERAL.options)
            assert status.inner_text().startswith(
                "✓ Right, and complete." if complete else "✗ Not complete yet: what is chosen is right")
    wrong = [option.right for option in SEVERAL.options].index(False)
    place.locator("input").nth(wrong).focus()
    keys.press("Space")
    assert status.inner_text() == ""                                   # it was said of another choice
    keys.press("Enter")
    assert status.inner_text().startswith("✗ Not right yet: something chosen is not right.")


@every_question
def test_question_is_a_named_group_of_native_controls(tab, site, question):
    place = meet(tab, site, question)
    group = place.get_by_role("group", name=plain(tab, question.question))
    assert group.evaluate("(group) => group.tagName") == "FIELDSET"
    kind = "checkbox" if question.several else "radio"
    for option in question.options:
        assert group.get_by_role(kind, name=plain(tab, option.text), exact=True).count() == 1
    size = place.locator(".dlq-option").first.bounding_box()
    assert size["height"] >= 24                                        # for a finger


def test_answer_is_kept_until_the_reader_tries_again(tab, site):
    place = visit(tab, site, SINGLE)
    said = choose(place, [1])
    tab.reload()
    place = drawn(tab, SINGLE)
    assert place.locator("input:checked").get_attribute("value") == "1"
    assert place.get_by_role("status").inner_text() == said
    place.get_by_role("button", name="Try again").click()
    tab.reload()
    place = drawn(tab, SINGLE)
    assert place.locator("input:checked").count() == 0
    assert place.get_by_role("status").inner_text() == ""


def test_a_choice_that_was_not_checked_is_no_answer(tab, site):
    place = visit(tab, site, SINGLE)
    choose(place, [1])
    place.locator("input").nth(2).check()
    assert place.get_by_role("status").inner_text() == ""
    tab.reload()
    assert drawn(tab, SINGLE).locator("input:checked").count() == 0


def test_answering_asks_for_nothing_and_starts_no_python(tab, site):
    place = visit(tab, site, SINGLE)
    asked = list(tab.asked)
    for index in range(len(SINGLE.options)):
        choose(place, [index])
    assert tab.asked == asked
    assert tab.locator("html").get_attribute("data-dl-python") is None


# Take away what surrounds a question: axe reads the whole page, which has its own test, for ten seconds each time.
ALONE = """(place) => {
    for (let kept = place; !kept.matches("article"); kept = kept.parentElement) {
        for (const other of [...kept.parentElement.children]) if (other !== kept) other.remove();
    }
}"""


@pytest.mark.parametrize("question", [SINGLE, SEVERAL], ids=["single", "several"])
def test_everyone_can_read_it_at_each_stage(tab, site, question):
    place = visit(tab, site, question)
    place.evaluate(ALONE)
    place = tab.locator(".dl-quiz-place")
    right = [index for index, option in enumerate(question.options) if option.right]
    wrong = [index for index, option in enumerate(question.options) if not option.right]
    for chosen in ([], wrong[:1], right):
        choose(place, chosen)
        if chosen == right:
            place.locator("summary").click()
        for theme, width in product(["light", "dark"], [1280, 390]):
            tab.emulate_media(color_scheme=theme)
            tab.set_viewport_size({"width": width, "height": 900})
            tab.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
            assert barriers(place) == []
            assert tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_page_from_a_folder_has_them_too(tab):
    place = visit(tab, HTML.as_uri(), SINGLE)
    assert choose(place, [0])[0] in "✓✗"


@every_question
def test_without_javascript_the_answer_is_folded_away(tab_without_javascript, site, question):
    tab = tab_without_javascript
    if tab.url != f"{site}/{page_of(question)}":
        tab.goto(f"{site}/{page_of(question)}")
    place = place_of(tab, question)
    shown = place.inner_text()
    folded = place.locator("details")
    assert place.locator("ol > li").count() == len(question.options)
    assert not folded.locator("li").first.is_visible()
    folded.locator("summary").click()
    answers = folded.locator("li").all_inner_texts()
    for letter, option, answer in zip("ABCDEFGH", question.options, answers, strict=False):
        assert answer.startswith(f"{letter}: {'right' if option.right else 'not right'}.")
        assert answer not in shown

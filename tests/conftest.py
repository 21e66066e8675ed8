"""Settings shared by all tests, and the count by kind that closes a run."""

import os

# Two test workers on two cores: more threads than one each only get in each other's way. Set
# before NumPy and torch are imported, which is when their thread pools are sized.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import shutil  # noqa: E402
from collections import Counter  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from dlbook.serve import Server  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.built import quiet  # noqa: E402

# Derandomized: the same examples in every run, so that a red test is a change in the code and
# never luck. No deadline: the first call of a torch function may compile or load something.
settings.register_profile(
    "course", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("course")

# What may be skipped, by the beginning of its reason.
MAY_SKIP = ("CUDA", "no Python that an ordinary user may read")
if not os.environ.get("CI"):
    MAY_SKIP += ("no browser",)


@pytest.fixture
def rng():
    """A fresh generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def site():
    """The address of the built book, served on this machine alone."""
    return Server(compress=False).address


@pytest.fixture(scope="module")
def browser():
    """A running Chromium."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no browser: install chromium (on Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        running = playwright.chromium.launch(executable_path=path, args=flags)
        yield running
        running.close()


@pytest.fixture(scope="module")
def only_tab(browser):
    """The tab of all tests of a file: in each fresh one the browser would compile Python anew, for seconds."""
    context = browser.new_context()
    context.set_default_timeout(60_000)       # Python is there in seconds; a minute means it never comes
    yield context.new_page()
    context.close()


@pytest.fixture
def tab(only_tab, site):
    """A tab in which nothing is kept of earlier visits; it must stay quiet and ask no other site."""
    only_tab.set_viewport_size({"width": 1280, "height": 900})
    only_tab.emulate_media(color_scheme="light")
    with quiet(only_tab, site) as asked:
        only_tab.asked = asked
        yield only_tab
        if only_tab.url != "about:blank":
            only_tab.evaluate("localStorage.clear()")


@pytest.fixture(scope="module")
def tab_without_javascript(browser):
    """A tab in which no script runs, so that a test leaves nothing behind but the page it has opened."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


IN_A_BROWSER = tuple(f"tests/test_{name}" for name in ("exercise_pages", "lab", "live", "quiz", "weight"))


def kind_of(nodeid):
    """Say which of the suite's six kinds a test is."""
    if "_in_a_browser" in nodeid or nodeid.startswith(IN_A_BROWSER):
        return "browser"
    if ".ipynb" in nodeid:
        return "notebook cells"
    if nodeid.startswith("tests/test_parity.py"):
        return "gradient" if "difference_quotients" in nodeid else "parity"
    if nodeid.startswith(("tests/test_book", "tests/test_chapters")):
        return "book"
    return "unit"


def outcomes(reporter):
    """Count the outcomes by kind."""
    counts = {}
    for outcome in ("passed", "failed", "error", "skipped", "xfailed"):
        for report in reporter.stats.get(outcome, []):
            counts.setdefault(kind_of(report.nodeid), Counter())[outcome] += 1
    return counts


def forbidden_skips(reporter):
    """List the skipped tests whose reason is not an accepted one."""
    found = []
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(MAY_SKIP):
            found.append(f"{report.nodeid}: {reason}")
    return found


def pytest_sessionfinish(session):
    """Fail a run that skipped what it must not skip."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and session.exitstatus == 0 and forbidden_skips(reporter):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter):
    """Print how many tests of each kind ran."""
    terminalreporter.section("tests by kind")
    for kind, counts in sorted(outcomes(terminalreporter).items()):
        line = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        terminalreporter.write_line(f"{kind:>15}: {line}")
    for line in forbidden_skips(terminalreporter):
        terminalreporter.write_line(f"must not be skipped: {line}", red=True)

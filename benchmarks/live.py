"""Measure the live pages in a headless Chromium: how long a reader waits, and what a page costs to load.

    make bench-live

Served from this machine, so the times hold no network. "Cold" is a browser profile that has never seen
the book, "warm" a second visit with the files in the browser's cache. Sizes are what the browser counted
as received: once from a server that compresses text, as most hosts of static pages do, once from one
that does not.
"""

import argparse
import json
import shutil
import statistics
from pathlib import Path

from dlbook.serve import Server
from playwright.sync_api import sync_playwright

CHAPTERS = Path(__file__).parents[1] / "chapters"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000  # milliseconds


class Visit:
    """One tab, with a count of the bytes it has received.

    Parameters
    ----------
    context : playwright.sync_api.BrowserContext
    address : str
    """

    def __init__(self, context, address):
        self.tab, self.received = context.new_page(), 0
        self.tab.set_default_timeout(PATIENCE)
        session = context.new_cdp_session(self.tab)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: self.count(event["encodedDataLength"]))
        self.tab.goto(address, wait_until="commit")
        self.tab.wait_for_selector("html[data-dl-live]", state="attached")

    def count(self, size):
        """Add the size of one finished request."""
        self.received += size

    def first_result(self):
        """Press Run on the first live cell as soon as it is there; milliseconds since navigation began."""
        return self.tab.evaluate("""async () => {
            const cell = document.querySelector("div.cell.tag_live");
            const ended = () => ["done", "error"].includes(cell.dataset.live);
            const done = new Promise((resolve) => new MutationObserver(() => ended() && resolve(performance.now()))
                .observe(cell, { attributes: true }));
            [...cell.querySelectorAll("button")].find((button) => button.textContent === "Run").click();
            return done;
        }""")

    def run_again(self):
        """Milliseconds from Run to the result, with Python there."""
        return self.tab.evaluate("""async () => {
            const cell = document.querySelector("div.cell.tag_live");
            const start = performance.now();
            const done = new Promise((resolve) => new MutationObserver(() => cell.dataset.live === "done"
                && resolve(performance.now() - start)).observe(cell, { attributes: true }));
            [...cell.querySelectorAll("button")].find((button) => button.textContent === "Run").click();
            return done;
        }""")

    def slider_steps(self, number):
        """Move each widget's first slider; milliseconds from the event to the new picture, the first one left out."""
        found = {}
        for place in self.tab.locator(".dl-widget-place").all():
            place.scroll_into_view_if_needed()
            place.locator(".dl-widget").wait_for()
            name = place.locator(".dl-widget").get_attribute("data-widget")
            found[name] = place.evaluate("""async (place, number) => {
                const slider = place.querySelector(".dlw-controls input[type=range]");
                const times = [];
                for (let i = 0; i <= number; i++) {
                    if (slider.value === slider.max) slider.value = slider.min;
                    else slider.stepUp();
                    const start = performance.now();
                    slider.dispatchEvent(new Event("input", { bubbles: true }));
                    await place.dlModel.busy;
                    times.push(performance.now() - start);
                }
                return times.slice(1);
            }""", number)
        return found


def spread(values, unit="ms"):
    """Median and range of some numbers as a text."""
    return f"{statistics.median(values):.0f} {unit} ({min(values):.0f} to {max(values):.0f})"


def untouched(chromium, server, page):
    """Bytes received for a page that is read to its end, on which nothing is run."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context, f"{server.address}/{page}")
    visit.tab.wait_for_load_state("load")
    visit.tab.evaluate("""async () => {
        for (let y = 0; y < document.documentElement.scrollHeight; y += 800) {
            scrollTo({ top: y, behavior: "instant" });
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 30)));
        }
    }""")
    visit.tab.wait_for_load_state("networkidle")
    context.close()
    return visit.received


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", default="chapters/02_perceptron.html")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("no browser: install chromium (on Debian: apt-get install chromium)")
    pages = sorted(f"chapters/{path.stem}.html" for path in CHAPTERS.glob("*.ipynb"))
    plain, compressing = Server(compress=False), Server(compress=True)
    times = {"cold": [], "warm": []}
    again, sizes = [], {}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for _ in range(options.runs):
            context = chromium.new_context()
            for kind in ("cold", "warm"):
                visit = Visit(context, f"{plain.address}/{options.page}")
                times[kind].append(visit.first_result())
                again += [visit.run_again() for _ in range(5)]
                visit.tab.wait_for_load_state("networkidle")
                sizes.setdefault(kind, []).append(visit.received)
                visit.tab.close()
            context.close()
        context = chromium.new_context()
        visit = Visit(context, f"{compressing.address}/{options.page}")
        visit.first_result()
        visit.tab.wait_for_load_state("networkidle")
        sizes["compressed"] = [visit.received]
        context.close()

        print(f"{options.page}, {options.runs} runs, {chromium.version}")
        for kind in times:
            print(f"  navigation to first NumPy result, {kind}: {spread(times[kind])}, "
                  f"received {statistics.median(sizes[kind]) / 1e6:.2f} MB")
        print(f"  the same from a server that compresses text, cold: received {sizes['compressed'][0] / 1e6:.2f} MB")
        print(f"  running a cell again: {spread(again)}")
        print("one step of a slider, from the event to the new picture:")
        slowest = 0
        for page in pages:
            context = chromium.new_context()
            visit = Visit(context, f"{plain.address}/{page}")
            for name, steps in visit.slider_steps(options.runs * 2).items():
                print(f"  {name}: {spread(steps)}")
                slowest = max(slowest, statistics.median(steps))
            context.close()
        print(f"  slowest median: {slowest:.0f} ms")
        print("a chapter read to its end, nothing run (compressed; without compression):")
        for page in pages:
            small, large = (untouched(chromium, server, page) for server in (compressing, plain))
            print(f"  {page}: {small / 1e3:.0f} kB; {large / 1e3:.0f} kB")
        chromium.close()
    print(json.dumps({"cold_ms": statistics.median(times["cold"]), "warm_ms": statistics.median(times["warm"]),
                      "again_ms": statistics.median(again), "slider_ms": slowest,
                      "cold_bytes": statistics.median(sizes["cold"])}))


if __name__ == "__main__":
    main()

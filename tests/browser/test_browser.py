"""The page in a browser: Debian's packages chromium and chromium-driver, by way of Selenium."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from initbench.cli import main

pytestmark = pytest.mark.browser

#: Set by `make browser`: a test of its that skips has failed, since nothing may be missing.
REQUIRE = "INITBENCH_REQUIRE_BROWSER"
FLAGS = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
    "disable-background-networking", "disable-component-update", "disable-sync",
)  # fmt: skip
#: What a description may hold, and as much of it as a file's name may.
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
NAME = "& 'q' [x](y) {{datum}} ${1}"
SMALL = (
    "initializer: {}\nlayers: [2, 6, 4, 1]\niterations: 200\nlog_every: 50\n"
    "learning_rate: 0.5\nseeds: 6\n"
)
CURVES = "[data-chart=p0_curves_train_loss_log_0]"
#: The colour of the first initializer.
FIRST = "#0072B2"


def missing(what: str) -> None:
    """Skip for lack of something, or fail where it is required."""
    (pytest.fail if os.environ.get(REQUIRE) else pytest.skip)(f"needs {what}")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "a.yaml").write_text(SMALL.format("[he_normal, zeros]"))
    (folder / f"{NAME}.yaml").write_text(
        f"{SMALL.format('lecun_normal')}description: {json.dumps(SCRIPT)}\n"
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        done = CliRunner().invoke(main, ["report", "a.yaml", f"{NAME}.yaml"])
    assert done.exit_code == 0, done.output
    return folder / "results/report.html"


@pytest.fixture(scope="module")
def browser(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page, opened at 1600 pixels, when it has drawn its charts."""
    try:
        from selenium import webdriver
        from selenium.webdriver.support.ui import WebDriverWait
    except ModuleNotFoundError:
        missing("Selenium: pip install 'initbench[browser]'")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing("chromium and chromedriver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{flag}")
    options.binary_location = str(chromium)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        resize(opened, 1600)
        opened.get(page.as_uri())
        WebDriverWait(opened, 120).until(
            lambda d: d.execute_script("return document.documentElement.dataset.drawn")
        )
        yield opened
    finally:
        opened.quit()


def resize(browser: Any, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False},
    )


def one(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def settle(browser: Any) -> None:
    """Wait until Vega has drawn what a click has set going."""
    browser.execute_async_script("setTimeout(arguments[0], 300)")


def strokes(browser: Any, selector: str, colour: str) -> int:
    """Lines of a colour that a chart draws."""
    return len(browser.find_elements("css selector", f'{selector} path[stroke="{colour}"]'))


def boundaries(browser: Any) -> list[str]:
    images = browser.find_elements("css selector", ".slot.boundary image")
    return [image.get_attribute("href") or image.get_attribute("xlink:href") for image in images]


def test_it_opens_without_an_error_and_asks_for_nothing(browser: Any) -> None:
    said = [entry["message"] for entry in browser.get_log("browser")]
    assert said == []
    requests = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        # The first tab of the browser asks for pages of its own.
        params = message["params"]
        sent = message["method"] == "Network.requestWillBeSent"
        if sent and params["documentURL"] == browser.current_url:
            requests.append(params["request"]["url"])
    assert [url for url in requests if not url.startswith("data:")] == [browser.current_url]


def test_what_users_write_makes_no_element(browser: Any) -> None:
    """A script that ran would have opened an alert, under which no command works."""
    assert browser.title == "Weight initializers compared"
    assert not browser.find_elements("css selector", "img")
    assert SCRIPT in [p.text for p in browser.find_elements("css selector", ".card .about")]


def test_the_legend_takes_a_curve_away_and_back(browser: Any) -> None:
    button = one(browser, ".legend button[data-series='0']")
    assert strokes(browser, CURVES, FIRST) == 1
    for pressed, lines in (("false", 0), ("true", 1)):
        browser.execute_script("arguments[0].click()", button)
        settle(browser)
        assert button.get_attribute("aria-pressed") == pressed
        assert strokes(browser, CURVES, FIRST) == lines
        assert one(browser, ".card[data-series='0']").is_displayed() == bool(lines)


def test_the_slider_moves_boundaries_and_marks(browser: Any) -> None:
    last = boundaries(browser)
    assert len(last) == 3
    slider = one(browser, ".slider input")
    rule = f"{CURVES} line[stroke='#D55E00']"
    at_end = one(browser, rule).rect["x"]
    slider.send_keys("\ue011")  # Home
    settle(browser)
    assert one(browser, ".slider output").text == "0"
    assert slider.get_attribute("aria-valuetext") == "iteration 0"
    first = boundaries(browser)
    changed = [a != b for a, b in zip(first, last, strict=True)]
    assert changed.count(True) >= 2  # that of zeros may stay: it learns nothing
    assert one(browser, rule).rect["x"] < at_end - 100
    slider.send_keys("\ue010")  # End
    settle(browser)
    assert boundaries(browser) == last


def test_a_hover_value_is_in_the_store(browser: Any, page: Path) -> None:
    from selenium.webdriver import ActionChains

    text = page.read_text(encoding="utf-8")
    (document,) = re.findall(r'id="document">(.*?)</script>', text, re.S)
    points = browser.find_elements("css selector", f"{CURVES} .mark-symbol path")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", points[7])
    ActionChains(browser).move_to_element(points[7]).perform()
    settle(browser)
    rows = browser.find_elements("css selector", "#vg-tooltip-element tr")
    shown = {
        row.find_element("css selector", ".key").text: row.find_element(
            "css selector", ".value"
        ).text
        for row in rows
    }
    iteration = int(shown["iteration"].replace(",", ""))
    values = [
        record["curve"]["train_loss"][record["curve"]["iteration"].index(iteration)]
        for record in json.loads(document)["records"]
        if record["initializer"] == shown["initializer"]
    ]
    assert len(values) == int(shown["runs"]) == 6
    assert float(shown["median"]) == pytest.approx(statistics.median(values), rel=1e-5)


def test_other_metrics_and_axes_can_be_chosen(browser: Any) -> None:
    for name, value in (("p0-metric", "test_accuracy"), ("p0-scale", "linear")):
        choice = one(browser, f"input[name='{name}'][value='{value}']")
        browser.execute_script("arguments[0].click()", choice)
        settle(browser)
    shown = [f for f in browser.find_elements("css selector", ".choice") if f.is_displayed()]
    assert [f.get_attribute("data-metric") for f in shown] == ["test_accuracy"]
    assert shown[0].find_elements("css selector", "svg")


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_a_desk_in_light_and_dark(
    browser: Any, width: int, scheme: str
) -> None:
    resize(browser, width)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    settle(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_it_prints(browser: Any) -> None:
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")

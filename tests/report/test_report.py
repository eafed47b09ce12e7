"""The page: true to its findings, self-contained, and quiet in a browser."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bnn_ref import estimators, report
from bnn_ref.auditing import Check
from bnn_ref.report import Findings, Plan


@pytest.fixture(scope="module")
def findings() -> Findings:
    """A curve behind a hard sign, a soft one, the real twin, and one that is no function of one element."""
    names = ("clipped-ste", "real", "bnn++", "fda-noise", "bbc-activation")
    return report.gather(Plan(estimators=names, seeds=2, epochs=1, limit=256))


@pytest.fixture(scope="module")
def page(findings: Findings) -> str:
    return report.render(findings)


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    @staticmethod
    def text(page: str) -> str:
        """The words between the tags."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_packed_answers_are_eval_modes(findings: Findings) -> None:
    for packing in findings.packings:
        assert packing.identical
        assert packing.same_classes == packing.images == len(findings.dataset.test_labels)
        assert packing.confusion.sum() == packing.images
        assert np.isclose(np.trace(packing.confusion) / packing.images, packing.accuracy)


def test_the_page_says_what_was_found(page: str, findings: Findings) -> None:
    for name, *_ in findings.audits:
        assert f'id="card-{name}"' in page
        assert html.escape(estimators.entry(name).about[1:]) in page.replace("&#39;", "&#x27;"), "as written"
    for row in findings.comparison.summaries:
        assert f"{100 * row.mean:.2f}" in page
    assert f"{findings.caught[0]} of {findings.caught[1]}" in page
    assert f"{findings.packings[0].payload_bytes:,}" in page
    assert "0, 1, of first weights" in page


def test_learned_slopes_of_weights_are_shown_whatever_is_compared(page: str, findings: Findings) -> None:
    """One MLP a network, with steps of its own; the positive ones begin above 0 and stay there."""
    assert list(findings.learned.arms) == ["bbc", "bbc, positive"]
    for row in findings.learned.summaries:
        slopes = [list(run.history[-1].slopes.values()) for run in findings.learned.runs_of(row.arm)]
        assert [len(own) for own in slopes] == [1, 1]
        below = sum(own[0] < 0 for own in slopes)
        assert row.arm != "bbc, positive" or not below
        cells = Elements.text(page).partition(f" {row.arm} {100 * row.mean:.2f} ")[2]
        values = " ".join(f"{100 * value:.2f}" for value in row.values)
        assert cells.startswith(f"{values} {below} of 2 ")
    (label,) = re.findall(r'aria-label="(slope at 0 of every trained surrogate[^"]*)"', page)
    assert label.endswith("among them bbc, bbc, positive")
    assert "by an Adam of its own (first step 0.001)" in Elements.text(page)


def test_a_learned_slope_that_diverged_is_left_out_of_the_picture(findings: Findings) -> None:
    first, *others = findings.learned.runs
    lost = dataclasses.replace(first, diverged="loss: <NaN>", history=type(first.history)())
    learned = dataclasses.replace(findings.learned, runs=(lost, *others))
    shown = report.render(dataclasses.replace(findings, learned=learned))
    (label,) = re.findall(r'aria-label="(slope at 0 of every trained surrogate[^"]*)"', shown)
    assert label.endswith("among them bbc, positive")
    assert " bbc diverged – " in Elements.text(shown)


def test_nothing_is_fetched_and_every_picture_has_words(page: str) -> None:
    for tag, attributes in Elements(page).tags:
        assert tag not in {"script", "iframe", "object", "embed", "img"}
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name) or ""
            outside = value.startswith(("http:", "https:", "//"))
            assert not outside or (tag == "a" and name == "href"), (tag, value)
        if tag == "svg":
            assert attributes.get("role") == "img"
            assert len(attributes.get("aria-label") or "") > 20
    assert not re.search(r"url\((?!#)|@import", page)


def test_ids_are_unique_and_links_inside_the_page_lead_somewhere(page: str) -> None:
    tags = Elements(page).tags
    inside = {a["href"][1:] for tag, a in tags if tag == "a" and (a.get("href") or "").startswith("#")}  # type: ignore[index]
    ids = [a["id"] for tag, a in tags if a.get("id") and tag in {"section", "article"}]
    assert len(ids) == len(set(ids))
    assert inside <= set(ids)


def test_a_failed_audit_is_shown_with_its_reason(findings: Findings) -> None:
    name, alone, network = findings.audits[0]
    bad = dataclasses.replace(
        alone, checks=(*alone.checks, Check.that("slope <kind>", False, "at x = 3 & more"))
    )
    shown = report.render(dataclasses.replace(findings, audits=((name, bad, network), *findings.audits[1:])))
    assert "FAILED" in shown
    assert "slope &lt;kind&gt;" in shown
    assert "at x = 3 &amp; more" in shown


def test_a_run_that_diverged_is_shown_with_its_reason(findings: Findings) -> None:
    first, *others = findings.comparison.runs
    lost = dataclasses.replace(first, diverged="loss: <NaN>", history=type(first.history)())
    comparison = dataclasses.replace(findings.comparison, runs=(lost, *others))
    shown = report.render(dataclasses.replace(findings, comparison=comparison))
    assert f"{first.arm}, seed {first.seed}: diverged: loss: &lt;NaN&gt;" in shown
    assert f'<th scope="row">{first.arm}</th><td class="n">diverged</td>' in shown
    assert "of arms that did not diverge" in shown
    assert "diverged" not in report.render(findings)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("data", "cats", "data: required one of digits"),
        ("estimators", ("real",), "at least one besides 'real'"),
        ("estimators", ("fda", "fda"), "each once"),
        ("estimators", tuple("abcdefghijklm"), "required 1 to 12 names"),
        ("estimators", ("nope",), "required one of identity-ste"),
        ("seeds", 0, "seeds: required a whole number >= 1, got 0"),
        ("epochs", -1, "epochs: required"),
        ("jobs", 0, "jobs: required"),
    ],
)
def test_a_bad_plan_is_refused_before_any_work(field: str, value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        Plan(**{field: value})  # type: ignore[arg-type]


def test_default_set_is_named_and_small() -> None:
    assert len(report.DEFAULT_ESTIMATORS) <= 12
    Plan()


QUIET = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --enable-logging=stderr --v=0
""".split()


def browse(page: str, folder: Path) -> tuple[str, set[str]]:
    """What headless Chromium's console says of a page, and the addresses that the page asks for."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine; .ci/run installs it")
    (folder / "page.html").write_text(page, encoding="utf-8")
    log = folder / "net.json"
    command = [chromium, *QUIET, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}"]
    command += [f"--screenshot={folder / 'page.png'}", f"file://{folder / 'page.html'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    said = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return said, set(_asked(log.read_text()))


def _asked(log: str) -> Iterator[str]:
    """The addresses outside the file that were asked for, but for the browser's own errands."""
    for line in log.splitlines():
        if '"initiator"' in line:
            asked = json.loads(line.strip().rstrip(","))["params"]
            if asked["initiator"] != "not an origin" and not asked["url"].startswith(("file:", "data:")):
                yield asked["url"]


def test_a_browser_opens_it_without_errors_or_requests(page: str, tmp_path: Path) -> None:
    said, requested = browse(page, tmp_path)
    assert not said, said
    assert not requested, requested
    assert (tmp_path / "page.png").stat().st_size > 10_000


def test_the_browser_would_notice_a_request_and_an_error(page: str, tmp_path: Path) -> None:
    """The test above can fail: a picture from elsewhere is seen, and so is a script's error."""
    bad = '<img src="http://127.0.0.1:8099/x.png"><script>undefined_function()</script></body>'
    said, requested = browse(page.replace("</body>", bad), tmp_path)
    assert "http://127.0.0.1:8099/x.png" in requested
    assert "undefined_function" in said

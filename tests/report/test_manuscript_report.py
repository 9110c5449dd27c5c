"""The HTML report: one file, no network, every number a link to its row, readable by everybody."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from analysed import NAME, QUICK, analysed
from command import compendium
from manuscript_numbers import looked_up, part_spellings, strays

from helpers.report.formats.page.page import report_markup, write_report
from helpers.report.formats.templates import anchor, asset
from helpers.report.text.blocks import FigureBlock, Paragraph, TableBlock
from helpers.report.text.document import build_report
from helpers.report.text.parts import PARTS
from helpers.report.text.phrases import exhibit_text
from helpers.report.text.wording import LANGUAGES, Wording

PROVENANCE = {
    "cohort": NAME,
    "missing_steps": [],
    "parameters": {"04_survival": {"confidence": 0.95, "horizon_days": None}},
    "raw_data": {"patients.csv": "ab12"},
    "packages": {"numpy": "2.4.6"},
    "products": {"report.html": "cd34"},
}
VOID = {"meta", "link", "br", "img", "wbr", "hr", "input"}


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children: list[Element | str] = []

    def get(self, name, default=""):
        return self.attributes.get(name) or default

    def walk(self):
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def text(self, without=lambda _element: False):
        if without(self):
            return " "
        return "".join(c if isinstance(c, str) else c.text(without) for c in self.children)

    def all(self, tag, **attributes):
        found = (e for e in self.walk() if e.tag == tag)
        return [
            e for e in found if all(e.get(k.strip("_").replace("_", "-")) == v for k, v in attributes.items())
        ]


class Tree(HTMLParser):
    """The page as a tree; an end tag that closes nothing is a fault."""

    def __init__(self, page):
        super().__init__()
        self.root = self.here = Element("", {}, None)
        self.feed(page)
        assert self.here is self.root, f"{self.here.tag} is not closed"

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_endtag(self, tag):
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.children.append(data)


@pytest.fixture(scope="module", params=LANGUAGES)
def document(request):
    study = analysed(NAME)
    return build_report(study, Wording.of(request.param, study.config))


@pytest.fixture(scope="module")
def page(document):
    return report_markup(document, PROVENANCE)


@pytest.fixture(scope="module")
def tree(page):
    return Tree(page).root


@pytest.fixture(scope="module")
def parts(tree):
    """The text, and the sections after it: statistics, notebooks, provenance."""
    (main,) = tree.all("main")
    sections = [child for child in main.children if isinstance(child, Element) and child.tag == "section"]
    return main, sections


def is_link(element):
    return element.tag == "a" and element.get("class") == "n"


def test_the_same_results_give_the_same_bytes(document, page, tmp_path):
    path = tmp_path / "report.html"
    write_report(document.study, path, PROVENANCE, document.wording.language)
    assert path.read_text(encoding="utf-8") == page


def test_nothing_is_fetched_from_anywhere(page, tree):
    for element in tree.walk():
        for name in ("src", "href", "srcset", "data"):
            assert not re.match(r"(https?:)?//", element.get(name)), element.attributes
    assert "@import" not in page
    assert not re.search(r"url\((?!#|data:)", page.partition("<body>")[0])
    for frame in tree.all("iframe"):
        assert not re.search(r"<(script|link)\b", frame.get("srcdoc"))
        assert "sandbox" in frame.attributes


def test_numbers_of_the_text_lead_to_their_rows(document, parts):
    main, _ = parts
    statistics, language = document.study.statistics, document.wording.language
    rows = {element.get("id") for element in main.walk() if element.tag == "tr"}
    seen = 0
    for link in filter(is_link, main.walk()):
        identifier = link.get("data-statistic")
        assert link.get("href") == f"#{anchor(identifier)}"
        assert anchor(identifier) in rows
        part = link.get("data-part")
        if part:
            assert link.text() in part_spellings(statistics, identifier, part, language)
            assert part in PARTS
            seen += 1
    assert seen > 250


def test_no_other_number_stands_in_the_text_and_legends(document, parts):
    main, sections = parts
    for element in main.walk():
        inside = element.parent
        while inside is not None and inside not in sections and inside.tag != "table":
            inside = inside.parent
        if inside is not None and (inside in sections or inside.tag == "table"):
            continue
        if element.tag in {"p", "li", "h2", "h3", "figcaption"} and element.parent.get("class") != "notes":
            if element.get("class") == "reference":
                continue
            bare = element.text(lambda e: is_link(e) or e.tag in {"button"} or e.get("class") == "cite")
            table = document.study.tables if element.tag == "figcaption" else ()
            for one in table:
                bare = bare.replace(one.title, " ")
            assert strays(bare, document.study) == [], bare[:200]


def test_cells_of_the_tables_show_their_rows(document, tree):
    statistics, journal = document.study.statistics, document.study.config.report.journal
    for block in (b for b in document.blocks if isinstance(b, TableBlock)):
        (figure,) = tree.all("figure", id=block.name)
        printed = [
            [cell.text(lambda e: e.tag == "sup").replace("\xa0", " ") for cell in row.children]
            for body in figure.all("tbody")
            for row in body.all("tr")
        ]
        expected = looked_up(block.table, statistics, journal)
        assert [[c.strip() for c in row] for row in printed] == [
            [c.replace("\xa0", " ").strip() for c in row] for row in expected
        ], block.name
        linked = [link.get("data-statistic") for link in filter(is_link, figure.walk())]
        with_values = sum(bool(list(c.values)) for r in block.table.rows for c in r.cells)
        assert len(linked) >= with_values * 0.9


def test_the_panel_has_method_and_size_of_every_number(document, tree):
    (table,) = tree.all("table", id="rows")
    heads = [cell.text() for cell in table.all("thead")[0].all("th")]
    assert len(heads) == 9
    for row in table.all("tbody")[0].all("tr"):
        cells = [cell.text() for cell in row.children]
        stored = document.study.statistics[cells[0]]
        assert cells[7] == exhibit_text(stored.method, document.wording)
        assert cells[4] == ("" if stored.n is None else str(stored.n))
        assert cells[6] == exhibit_text(stored.unit, document.wording)


class TestAccess:
    """Rules that a checker of accessibility looks at first; axe-core found no fault in Chromium."""

    def test_language_title_and_landmarks(self, document, tree):
        (root,) = tree.all("html")
        assert root.get("lang") == {"en": "en-GB", "zh": "zh-CN"}[document.wording.language]
        assert tree.all("title")[0].text().strip()
        for landmark in ("header", "nav", "main", "footer"):
            assert len(tree.all(landmark)) == 1
        skip = next(e for e in tree.walk() if e.tag == "a")
        assert skip.get("href") == "#text"

    def test_ids_are_unique_and_links_lead_somewhere(self, tree):
        ids = [element.get("id") for element in tree.walk() if element.get("id")]
        assert len(ids) == len(set(ids))
        for link in tree.all("a"):
            assert link.get("href").removeprefix("#") in ids, link.attributes

    def test_headings_do_not_skip_a_level(self, tree):
        levels = [int(e.tag[1]) for e in tree.walk() if re.fullmatch(r"h[1-6]", e.tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))

    def test_pictures_buttons_frames_and_tables_have_names(self, document, tree):
        figures = [b for b in document.blocks if isinstance(b, FigureBlock)]
        pictures = [e for e in tree.all("img") if e.get("src").startswith("data:image/svg")]
        assert [e.get("alt") for e in pictures] == [block.title for block in figures]
        for button in tree.all("button"):
            assert button.get("aria-label") or button.text().strip()
        for frame in tree.all("iframe"):
            assert frame.get("title")
        for region in (e for e in tree.walk() if e.get("role") == "region"):
            assert region.get("aria-label") or region.get("aria-labelledby")
            assert region.get("tabindex") == "0"

    def test_columns_sort_by_buttons_that_say_the_order(self, tree):
        sortable = [e for e in tree.all("th") if "aria-sort" in e.attributes]
        assert len(sortable) > 50
        for head in sortable:
            assert head.get("aria-sort") == "none"
            assert [child.tag for child in head.children if isinstance(child, Element)] == ["button"]
        for head in (e for e in tree.all("th") if "aria-sort" not in e.attributes):
            assert head.get("scope")

    @pytest.mark.parametrize("scheme", [0, 1])
    def test_colours_differ_enough_from_the_paper(self, scheme):
        style = str(asset("report.css"))
        roots = re.findall(r":root \{([^}]*)\}", style)
        assert len(roots) == 2, "by day and by night"
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", roots[scheme]))
        for ground in ("paper", "band", "mark"):
            for name in ("ink", "link", "warn"):
                light, dark = sorted((luminance(colours[ground]), luminance(colours[name])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)

    def test_the_search_is_named_and_says_what_it_looks_at(self, tree):
        (field,) = (e for e in tree.all("input") if e.get("type") == "search")
        labels = {e.get("for"): e.text() for e in tree.all("label")}
        assert labels[field.get("id")].strip()
        assert tree.all("p", id=field.get("aria-describedby"))[0].text().strip()
        assert tree.all("ul", id=field.get("aria-controls"))


def test_the_main_results_stand_first(document, tree):
    first = next(e for e in tree.all("main")[0].walk() if e.tag == "h2")
    assert first.text().strip() == {"en": "Key results", "zh": "主要结果"}[document.wording.language]
    key = next(b for b in document.blocks if isinstance(b, Paragraph) and b.role == "text")
    assert {"effect.death.both.day_56.risk_difference_newcombe"} < set(key.text.ids)


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    shares = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_notebooks_and_provenance_are_inside(document, tree):
    names = {path.stem for path in (document.study.results / "notebooks").glob("*.ipynb")}
    assert {frame.get("title") for frame in tree.all("iframe")} == names
    shown = " ".join(e.text() for e in tree.all("details"))
    for text in ("ab12", "cd34", "2.4.6", "04_survival: confidence"):
        assert text in shown


def test_what_the_report_alone_shows_is_not_printed(document, tree):
    css = asset("report.css")
    printed = css[css.index("@media print") :]
    assert ".on-screen" in printed[: printed.index("display: none !important")]
    rooms = {b.name: b.room for b in document.blocks if isinstance(b, (FigureBlock, TableBlock))}
    assert set(rooms.values()) == {"main", "supplementary", "report"}
    for figure in tree.all("figure"):
        hidden = "on-screen" in figure.get("class").split()
        assert hidden == (rooms[figure.get("id")] == "report"), figure.get("id")
    left = {section.all("h2")[0].get("id") for section in tree.all("section", class_="on-screen")}
    assert left == {"statistics", "notebooks", "provenance"}
    unprinted = [e for level in ("h2", "h3") for e in tree.all(level, class_="on-screen")]
    assert len(unprinted) >= 2, "headings over what is not printed"
    assert len(tree.all("p", class_="printed")) == 1


def test_the_watermark_of_reconstructed_data_stands_first_and_last(document, tree):
    assert document.watermark
    watermarks = [e.text() for e in tree.walk() if e.get("class") == "watermark"]
    assert watermarks[0] == watermarks[-1] == document.watermark
    assert tree.all("header")[0].text().count(document.watermark) == 1
    assert len(watermarks) > 20


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cohort_has_a_sound_page(name, language):
    study = analysed(name)
    root = Tree(report_markup(build_report(study, Wording.of(language, study.config)), PROVENANCE)).root
    assert "undefined" not in root.all("main")[0].text()
    assert "{" not in "".join(p.text() for p in root.all("p"))
    TestAccess().test_ids_are_unique_and_links_lead_somewhere(root)


class TestCommand:
    def run(self, tmp_path, *arguments):
        return compendium("report", *arguments, "--output", tmp_path)

    def test_a_cohort_without_results_is_told_what_to_do(self, tmp_path):
        done = self.run(tmp_path, NAME)
        assert done.returncode == 1
        assert f"Run `compendium run {NAME}` first" in done.stderr
        assert "Traceback" not in done.stderr

    def test_an_unknown_language_names_the_known_ones(self, tmp_path):
        done = self.run(tmp_path, NAME, "--language", "fr")
        assert done.returncode == 1
        assert "expected one of en, en-US, zh" in done.stderr

    def test_a_pdf_without_its_program_says_how_to_install_it(self, monkeypatch):
        from helpers.commands.report import ReportError, _pdf_maker

        monkeypatch.setitem(sys.modules, "weasyprint", None)
        with pytest.raises(ReportError, match=r"uv sync --extra pdf"):
            _pdf_maker()


def test_the_page_for_paper_has_nothing_that_only_a_screen_can_show(document):
    page = report_markup(document, PROVENANCE, on_paper=True)
    main = Tree(page).root.all("main")[0]
    assert not main.all("button")
    assert not main.all("iframe")
    assert "addEventListener" not in page
    ids = {element.get("id") for element in main.walk()}
    links = [link for link in main.walk() if is_link(link)]
    assert len(links) > 250
    assert all(link.get("href")[1:] in ids for link in links)
    assert document.watermark in page

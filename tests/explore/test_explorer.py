"""The page without a browser: its controls drive figure, numbers and code together."""

from __future__ import annotations

import random
import re
from typing import Any

import ipywidgets as widgets
import pytest
from test_code import random_values

from helpers.explore.controls import PANELS, Control, parameters_of
from helpers.explore.explorer import Explorer, PanelView
from helpers.explore.look import Look, code_of
from helpers.explore.study import Study


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer("rdmas_reconstructed")


def test_all_panels_open_with_figure_table_and_code(explorer: Explorer) -> None:
    for spec in PANELS:
        view = explorer.turn_to(spec.title)
        assert view.look is not None, view.message
        assert 'alt="' in view._figure.value
        assert view.look.table.title in view._table.value
        assert view.code == view.look.code


def another(control: Control) -> Any:
    """A value other than the one at first."""
    others = [value for _, value in control.options if value != control.value]
    if control.kind == "choice":
        return others[0] if others else control.value
    if control.kind == "several":
        return tuple(others[:1])
    if control.kind == "whole":
        return int(control.value) + 1
    return {"tick": True, "number or nothing": "1", "slide": control.high}[control.kind]


def test_every_control_has_words_and_changes_the_code(explorer: Explorer) -> None:
    study = explorer.study
    for spec in PANELS:
        usual = code_of(spec.show, study.cohort, parameters_of(spec, study, {}))
        for control in spec.controls(study):
            assert control.label
            parameters = parameters_of(spec, study, {control.name: another(control)})
            assert code_of(spec.show, study.cohort, parameters) != usual, f"{spec.title}: {control.name}"


def test_every_widget_shows_the_view_anew(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(PanelView, "show", lambda view: shown.append(view.spec.title))
    for spec in PANELS:
        view = PanelView(spec, study, shown.append)
        for control in spec.controls(study):
            assert view.controls[control.name].description == control.label
            view.set(**{control.name: another(control)})
            first = "" if control.kind == "number or nothing" else control.value
            view.set(**{control.name: first})
        assert shown == [spec.title] * 2 * len(view.controls)
        shown.clear()


def test_random_sequences_over_three_cohorts_end_without_a_fault(
    any_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(len(any_study.cohort))
    explorer = Explorer(any_study.cohort)
    for _ in range(4):
        view = explorer.turn_to(rng.choice(PANELS).title)
        values = random_values(any_study, view.spec.controls(any_study), rng)
        for place, (name, value) in enumerate(values.items(), start=1):
            with monkeypatch.context() as patched:
                if place < len(values):
                    patched.setattr(Look, "png", b"not drawn")
                view.set(**{name: value})
            assert "explorer-fault" not in view.message, (view.spec.title, view.code, view.message)
            assert (view.look is None) == ("explorer-problem" in view.message)
            assert view.look is None or view.look.code == view.code


def test_few_patients_are_told_before_anything_is_drawn() -> None:
    view = Explorer("rdmas_reconstructed").turn_to("Survival")
    view.set(split_by="sex", in_each_group=True)
    assert "Fewer than five patients: Ruxolitinib, male (3)." in view.message
    assert view.look is None
    assert view._figure.value == ""
    view.set(accept_few=True)
    assert view.look is not None
    assert "Fewer than five patients" in view.message


def test_looks_are_counted_once_each() -> None:
    explorer = Explorer("rdmas_reconstructed")
    view = explorer.turn_to("Survival")
    for horizon in (28, 42, 28):
        view.set(horizon_days=horizon)
    assert len(explorer.looks) == 3
    assert "Looks in this session: 3, with 3 p-values" in explorer._count.value


def test_text_that_is_no_number_is_told() -> None:
    view = Explorer("rdmas_reconstructed").turn_to("Survival")
    view.set(split_by="age", cut="old")
    assert "Cut a number at: found &#x27;old&#x27;, expected a number or nothing" in view.message


def test_a_cohort_that_cannot_be_opened_leaves_the_page() -> None:
    explorer = Explorer("rdmas_reconstructed")
    explorer._cohort.options = [*explorer._cohort.options, "no_such_cohort"]
    explorer._cohort.value = "no_such_cohort"
    assert "No cohort" in explorer._about.value


def test_the_buttons_save_and_say_where(explorer: Explorer) -> None:
    view = explorer.turn_to("Survival")
    view._acted(view._save_figure)
    assert re.search(r"scratch/exploratory/rdmas_reconstructed/exploratory_survival", view._said.value)
    view._acted(lambda: view._save_table("csv"))
    assert "exploratory_survival.csv" in view._said.value


def test_starting_over_puts_every_control_back_and_shows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Explorer("rdmas_reconstructed").turn_to("Survival")
    first = view.code
    view.set(horizon_days=28, split_by="sex", medians=True)
    assert view.code != first
    shown = []
    show = view.show
    monkeypatch.setattr(view, "show", lambda: shown.append(show()))
    view.start_over()
    assert view.code == first
    assert len(shown) == 1


@pytest.mark.parametrize("panel", [spec.title for spec in PANELS])
def test_no_menu_is_blank_after_starting_over(panel: str) -> None:
    """A menu whose first entry stands for nothing would show nothing, and not follow the choice of it."""
    view = Explorer("rdmas_reconstructed").turn_to(panel)
    menus = {name: one for name, one in view.controls.items() if isinstance(one, widgets.Dropdown)}
    first = {name: (menu.index, menu.label) for name, menu in menus.items()}
    view._held = True  # what is chosen meanwhile need not be drawn
    for menu in menus.values():
        menu.index = len(menu.options) - 1
    view.start_over()
    assert {name: (menu.index, menu.label) for name, menu in menus.items()} == first
    assert all(menu.index is not None for menu in menus.values())


def test_a_former_view_is_not_made_again() -> None:
    view = Explorer("rdmas_reconstructed").turn_to("Survival")
    first = view.look
    view.set(horizon_days=28)
    view.set(horizon_days=56)
    assert view.look is first


def test_every_showing_has_a_number_of_its_own() -> None:
    view = Explorer("rdmas_reconstructed").turn_to("Survival")
    seen = set()
    for horizon in (28, 42, 28):
        view.set(horizon_days=horizon)
        seen |= set(re.findall(r'data-view="(\d+)"', view._code.value))
    assert len(seen) == 3

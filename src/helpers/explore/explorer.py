"""The page of widgets: panels with their controls, each view with its figure, table and code."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from IPython.display import Javascript, display

from helpers.errors import CompendiumError
from helpers.explore.controls import PANELS, Control, PanelSpec, controls_of, parameters_of
from helpers.explore.look import Look, code_of
from helpers.explore.study import Study, known_cohorts, open_study, told
from helpers.project.paths import DEFAULT_COHORT

# No widget is made when the module is loaded: a kernel that is forked later could not show it.
_LABEL = {"description_width": "10.5em"}
_CONTROL = {"width": "26em"}
# The value of an entry that stands for nothing: a menu whose value becomes None shows no entry at all.
NOTHING = object()
_KEPT = 8  # views that are shown again without being made again
# Adds a cell below the active one where JupyterLab lets a page speak to it; `compendium lab` does.
_INSERT = """
const lab = window.jupyterapp;
if (lab) {
  lab.commands.execute('notebook:insert-cell-below')
    .then(() => lab.commands.execute('notebook:replace-selection', {text: %s}));
}
"""


class Explorer:
    """What-if views of one cohort at a time; a notebook shows them as a page of widgets.

    Args:
        cohort: opened at first, by name or path.

    Attributes:
        widget: the page.
        looks: code of every view shown so far.
        tests: number of p-values that these views showed.

    Raises:
        ExplorationError: the cohort cannot be opened.
    """

    def __init__(self, cohort: str = DEFAULT_COHORT) -> None:
        self.looks: dict[str, int] = {}
        names = list(dict.fromkeys([cohort, *known_cohorts()]))
        self._cohort = widgets.Dropdown(
            options=names, value=cohort, description="Cohort", style=_LABEL, layout=_CONTROL
        )
        titles = [spec.title for spec in PANELS]
        self._panel = widgets.ToggleButtons(
            options=titles, description="Panel", style={"button_width": "8em"}
        )
        self._about = widgets.HTML()
        self._count = widgets.HTML()
        self._place = widgets.VBox()
        self._views: dict[str, PanelView] = {}
        self.study = open_study(cohort)
        head = [self._cohort, self._panel, self._about]
        self.widget = widgets.VBox([*head, self._place, self._count])
        self.widget.add_class("explorer")
        self._cohort.observe(self._opened, "value")
        self._panel.observe(lambda _: self._turned(), "value")
        self._turned()

    @property
    def tests(self) -> int:
        """Number of p-values shown so far."""
        return sum(self.looks.values())

    @property
    def view(self) -> PanelView:
        """The panel that is shown."""
        return self._views[self._panel.value]

    @property
    def look(self) -> Look | None:
        """The view that is shown; None where nothing can be."""
        return self.view.look

    def turn_to(self, title: str) -> PanelView:
        """Show a panel, as its button does, and return it."""
        self._panel.value = title
        return self.view

    def _opened(self, change: dict[str, Any]) -> None:
        try:
            self.study = open_study(change["new"])
        except CompendiumError as error:
            self._about.value = _said([str(error)], "problem")
            return
        self._views.clear()
        self._turned()

    def _turned(self) -> None:
        config = self.study.config
        stamp = f" <em>{html.escape(config.watermark)}.</em>" if config.watermark else ""
        self._about.value = f"<p>{html.escape(config.title)}.{stamp} Published results stay as they are.</p>"
        title = self._panel.value
        if title not in self._views:
            spec = next(one for one in PANELS if one.title == title)
            self._views[title] = PanelView(spec, self.study, self._counted)
            self._views[title].show()
        self._place.children = [self._views[title].widget]

    def _counted(self, look: Look) -> None:
        self.looks[look.code] = look.tests
        self._count.value = (
            f'<p class="explorer-looks" role="status">Looks in this session: {len(self.looks)}, with '
            f"{self.tests} p-values. Of p-values without any effect behind them one in twenty is below 0.05; "
            "what was found by looking needs other patients to be believed.</p>"
        )

    def _ipython_display_(self) -> None:
        display(self.widget)


class PanelView:
    """One panel on the page: its controls, and the view that they choose.

    Args:
        spec: the panel.
        study: the cohort.
        shown: called with every view that is shown.
    """

    def __init__(self, spec: PanelSpec, study: Study, shown: Callable[[Look], None]) -> None:
        self.spec, self.study, self.code = spec, study, ""
        self.look: Look | None = None
        self._seen: dict[str, Look] = {}  # the last views by their code, which says everything of them
        self._shown, self._held, self._times = shown, False, 0
        self.controls = {control.name: _widget(control) for control in controls_of(spec, study)}
        self._first = {name: one.value for name, one in self.controls.items()}
        for one in self.controls.values():
            one.observe(lambda _: self._changed(), "value")
        self._notes, self._figure, self._table, self._code = (widgets.HTML() for _ in range(4))
        self._said = widgets.HTML()
        self._inserted = widgets.Output()
        buttons = widgets.HBox(
            [
                self._button("Save figure", self._save_figure),
                self._button("Table for Word", lambda: self._save_table("docx")),
                self._button("Table as csv", lambda: self._save_table("csv")),
                self._button("Insert code below", self._insert),
            ],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        start_over = widgets.Button(description="Start over", layout=widgets.Layout(width="auto"))
        start_over.on_click(lambda _: self.start_over())
        chosen = widgets.VBox([*self.controls.values(), start_over], layout=widgets.Layout(min_width="27em"))
        drawn = widgets.VBox(
            [self._notes, self._figure, buttons, self._said, self._code, self._inserted],
            layout=widgets.Layout(flex="1 1 38em", min_width="30em", max_width="64em"),
        )
        counted = widgets.VBox([self._table], layout=widgets.Layout(flex="1 1 34em", min_width="30em"))
        wrapped = widgets.Layout(flex_flow="row wrap", flex="1 1 38em", min_width="30em")
        seen = widgets.HBox([drawn, counted], layout=wrapped)
        self.widget = widgets.HBox([chosen, seen])

    def set(self, **values: Any) -> Look | None:
        """Choose values of controls by name, as by hand, and return the view.

        Raises:
            KeyError: there is no such control.
            TraitError: a number is out of bounds.
        """
        for name, value in values.items():
            control = self.controls[name]
            if isinstance(control, widgets.Dropdown):
                control.index = _place(control.options, value)
            else:
                control.value = value
        return self.look

    def start_over(self) -> Look | None:
        """Put every control back to its first value and return the view."""
        self._held = True
        for name, value in self._first.items():
            self.controls[name].value = value
        self._held = False
        self.show()
        return self.look

    def _changed(self) -> None:
        if not self._held:
            self.show()

    @property
    def message(self) -> str:
        """What is said above the figure."""
        return str(self._notes.value)

    def show(self) -> None:
        """Show the view of the present choices, or say why there is none."""
        self._said.value = ""
        self.look, self.code = None, ""
        try:
            values = {
                name: None if one.value is NOTHING else one.value for name, one in self.controls.items()
            }
            parameters = parameters_of(self.spec, self.study, values)
            self.code = code_of(self.spec.show, self.study.cohort, parameters)
            look = self._seen.get(self.code) or self.spec.show(self.study, **parameters)
            image = look.image
        except CompendiumError as error:
            self._empty([str(error)], "problem")
            return
        except Exception as error:  # a page that keeps its old figure would lie
            self._empty([f"This could not be computed ({type(error).__name__}: {error})."], "fault")
            return
        self.look, self.code = look, look.code
        self._seen = {**dict([*self._seen.items()][1 - _KEPT :]), self.code: look}
        self._notes.value = _said(look.notes, "note")
        self._figure.value = f'<div class="explorer-figure">{image}</div>'
        self._table.value = _scrolled("Table", look.table.to_html(look.journal))
        self._show_code()
        self._shown(look)

    def _empty(self, messages: list[str], kind: str) -> None:
        self._notes.value = _said(messages, kind)
        self._figure.value = self._table.value = ""
        self._show_code()

    def _show_code(self) -> None:
        """Show the cell; its number tells a reader of the page that what was chosen is shown."""
        self._times += 1
        written, place = html.escape(self.code), f'class="explorer-code" data-view="{self._times}"'
        self._code.value = _scrolled(
            "Code of this view",
            f'<pre {place} style="font-family: monospace; line-height: 1.35">{written}</pre>',
        )

    def _button(self, words: str, act: Callable[[], str]) -> widgets.Button:
        button = widgets.Button(description=words, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: self._acted(act))
        return button

    def _acted(self, act: Callable[[], str]) -> None:
        try:
            self._said.value = _said([act()], "note")
        except (CompendiumError, OSError) as error:
            self._said.value = _said([str(error)], "problem")

    def _save_figure(self) -> str:
        if self.look is None:
            return "There is no figure to be saved."
        paths = self.look.save_figure()
        return f"Saved: {told(paths[0].with_suffix(''))}, as {', '.join(path.suffix[1:] for path in paths)}."

    def _save_table(self, form: str) -> str:
        if self.look is None:
            return "There is no table to be saved."
        return f"Saved: {told(self.look.save_table(form))}."

    def _insert(self) -> str:
        if not self.code:
            return "There is no code to be inserted."
        self._inserted.clear_output()
        with self._inserted:
            display(Javascript(_INSERT % json.dumps(self.code)))
        return "Where no cell appears below (on a page without cells), copy the code."


def _widget(control: Control) -> Any:
    """Return the widget of a control; its label is read out with it."""
    common: dict[str, Any] = {"description": control.label, "style": _LABEL, "layout": _CONTROL}
    if control.kind == "choice":
        options = [(words, NOTHING if value is None else value) for words, value in control.options]
        made: Any = widgets.Dropdown(options=options, index=_place(options, control.value), **common)
    elif control.kind == "several":
        made = widgets.SelectMultiple(options=control.options, value=control.value, rows=4, **common)
    elif control.kind == "whole":
        bounds = {"min": int(control.low), "max": int(control.high)}
        made = widgets.BoundedIntText(value=control.value, **bounds, **common)
    elif control.kind == "slide":
        slider = widgets.IntSlider if isinstance(control.value, int) else widgets.FloatSlider
        made = slider(
            value=control.value, min=control.low, max=control.high, step=control.step,
            readout_format="d" if slider is widgets.IntSlider else ".2f", continuous_update=False, **common,
        )  # fmt: skip
    elif control.kind == "tick":
        made = widgets.Checkbox(value=control.value, indent=True, **common)
    else:
        made = widgets.Text(value="", placeholder="as usual", continuous_update=False, **common)
    made.add_class(f"control-{control.name}")
    return made


def _place(options: Any, value: Any) -> int | None:
    """Return where a value stands among the options of a menu."""
    wanted = NOTHING if value is None else value
    return next((i for i, (_, one) in enumerate(options) if one == wanted), None)


def _said(messages: Any, kind: str) -> str:
    lines = "".join(f"<p>{html.escape(one)}</p>" for one in messages)
    return f'<div class="explorer-{kind}" role="status">{lines}</div>' if lines else ""


def _scrolled(name: str, content: str) -> str:
    """Return a part of the page that can be reached and scrolled by keyboard."""
    return f'<div role="region" tabindex="0" aria-label="{name}" style="overflow-x: auto">{content}</div>'

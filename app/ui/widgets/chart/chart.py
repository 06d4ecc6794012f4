"""A chart with its title, legend and menu around the plot."""

from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.services.background import LatestTask
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.chart.curve import Curve
from app.ui.widgets.chart.legend import Legend
from app.ui.widgets.chart.plot import PlotArea
from app.ui.widgets.chart.readout import Readout
from app.ui.widgets.chart.saving import csv_text, write_chart
from app.ui.widgets.chart.series import Axis, AxisKind, Mark, Series, View
from app.ui.widgets.chart.ticks import text_of
from app.ui.widgets.labels import label, set_flag

MAX_SPOKEN = 8
PICTURE_SCALE = 2.0


class Chart(QWidget):
    """Shows series. Zooming, moving and hiding are the person's and outlive new data; the view follows the data until
    it is moved."""

    readout_changed = Signal(object)  # Readout | None: the values under the pointer
    view_changed = Signal(object)  # View
    picked = Signal(object)  # Readout: a click on values
    saved = Signal(object)  # str: what went wrong, empty if nothing
    axes_chosen = Signal()  # a person has made an axis logarithmic, or linear

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label(title, "emphasis")
        self._caption = label("", "caption")
        self.legend = Legend(self)
        self.plot = PlotArea(self)
        self.menu_button = IconButton("more", self.tr("What can be done with this chart"), "small", self)
        self._caption_text = ""
        self._has_legend = True
        self._hidden: set[str] = set()
        self._saving = LatestTask(self)
        self._build()
        self.plot.setAccessibleName(title or self.tr("Chart"))
        self._title.setVisible(bool(title))
        self.legend.toggled.connect(self._on_legend_toggled)
        self.plot.readout_changed.connect(self._on_readout_changed)
        self.plot.view_changed.connect(self.view_changed)
        self.plot.picked.connect(self.picked)
        self._saving.finished.connect(self._on_saved)
        self.menu_button.clicked.connect(self._on_menu_clicked)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy.activated.connect(self.copy_values)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACING.s)
        head.addWidget(self._title)
        head.addWidget(self._caption)
        head.addStretch(1)
        head.addWidget(self.menu_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(head)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """What the chart is called."""
        return self._title.text()

    @property
    def series(self) -> tuple[Series, ...]:
        """What was handed over last."""
        return tuple(curve.series for curve in self.plot.curves)

    @property
    def view(self) -> View:
        """The part of the plane in sight."""
        return self.plot.viewport_.view

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The horizontal and the vertical one."""
        return self.plot.viewport_.x_axis, self.plot.viewport_.y_axis

    def set_title(self, title: str, caption: str = "") -> None:
        """The title, and a few paler words beside it."""
        if (title, caption) == (self._title.text(), self._caption_text) and self.plot.accessibleName():
            return
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self._caption_text = caption
        self._caption.setText(caption)
        self.plot.setAccessibleName(title or self.tr("Chart"))

    def set_legend(self, has_legend: bool) -> None:
        """Whether the chart names its series itself; several charts of the same may share one legend."""
        if has_legend != self._has_legend:
            self._has_legend = has_legend
            self.set_series(self.series)

    def set_empty_text(self, text: str) -> None:
        """What to say while there is nothing to show: what will appear, and how to get it."""
        self.plot.empty_text = text
        self.plot.refresh()

    def set_axes(self, x: Axis, y: Axis) -> None:
        """The axes; a view that was chosen on others is given up."""
        if (x, y) == self.axes:
            return
        viewport = self.plot.viewport_
        if (x.is_log, x.kind, y.is_log, y.kind) != _manner(viewport.x_axis, viewport.y_axis):
            viewport.is_fitted = True
        viewport.x_axis, viewport.y_axis = x, y
        self.plot.refresh()
        self._describe()

    def set_log(self, *, x: bool | None = None, y: bool | None = None) -> None:
        """Logarithmic axes, or linear ones; None: as it is."""
        x_axis, y_axis = self.axes
        self.set_axes(
            replace(x_axis, is_log=x_axis.is_log if x is None else x),
            replace(y_axis, is_log=y_axis.is_log if y is None else y),
        )

    def set_series(self, series: tuple[Series, ...] | list[Series]) -> None:
        """Show these. Those of a name that was hidden stay hidden; what is the same object is not computed anew."""
        known = {id(curve.series): curve for curve in self.plot.curves}
        curves = [known.get(id(each)) or Curve(each) for each in series]
        for curve in curves:
            curve.is_visible = curve.series.name not in self._hidden
        self.plot.curves = curves
        self.legend.set_series(tuple(series) if self._has_legend else (), [curve.is_visible for curve in curves])
        self.plot.refresh()
        self._describe()

    def set_marks(self, marks: tuple[Mark, ...] | list[Mark]) -> None:
        """Reference points, lines and stripes."""
        if tuple(marks) == self.plot.marks:
            return
        self.plot.marks = tuple(marks)
        self.plot.refresh()

    def set_smoothing(self, amount: float) -> None:
        """Memory of the average in [0, 1); 0 shows the raw values alone."""
        amount = min(max(amount, 0.0), 0.9999)
        if amount == self.plot.smoothing:
            return
        self.plot.smoothing = amount
        self.plot.refresh()
        self._describe()

    def set_wheel_shared(self, is_shared: bool) -> None:
        """In a page that scrolls: the wheel zooms only after a click into the plot, or with Ctrl."""
        self.plot.is_wheel_shared = is_shared

    def set_cursor(self, x: float | None) -> None:
        """A thin line at x: where the pointer is in a chart beside this one."""
        self.plot.set_cursor(x)

    def set_visible(self, name: str, is_visible: bool) -> None:
        """Show or hide the series of a name."""
        (self._hidden.discard if is_visible else self._hidden.add)(name)
        self.set_series(self.series)

    # ---- the view -------------------------------------------------------------------------------------------------

    def reset_view(self) -> None:
        """Show everything, and follow the data again."""
        self.plot.fit()

    def set_view(self, view: View) -> None:
        """Show a given part."""
        self.plot.set_view(view)

    def zoom_by(self, steps: float) -> None:
        """Zoom in (positive) or out around the middle."""
        self.plot.zoom(1.25**-steps)

    # ---- files ----------------------------------------------------------------------------------------------------

    def image(self) -> QImage:
        """The whole chart as a picture, twice as fine as on the screen."""
        result = QImage(self.size() * PICTURE_SCALE, QImage.Format.Format_RGB32)
        result.setDevicePixelRatio(PICTURE_SCALE)
        result.fill(QColor(colours().panel))
        self.menu_button.hide()
        self.plot.is_for_file = True
        self.render(result, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
        self.plot.is_for_file = False
        self.menu_button.show()
        return result

    def csv(self) -> str:
        """All values of all visible series."""
        return csv_text(self._visible_series(), *self.axes)

    def _visible_series(self) -> tuple[Series, ...]:
        return tuple(curve.series for curve in self.plot.curves if curve.is_visible)

    def save_to(self, path: str) -> None:
        """Write the chart, in a thread: a table where the name ends in .csv, else a picture. A problem is told beside
        the title."""
        image = None if path.lower().endswith(".csv") else self.image()
        series, axes = self._visible_series(), self.axes
        self._saving.start(lambda: write_chart(path, image, series, axes))

    def _on_saved(self, problem: str) -> None:
        self._caption.setText(
            self.tr("Not saved: {problem}").format(problem=problem) if problem else self._caption_text
        )
        set_flag(self._caption, "role", "error" if problem else "caption")
        self.saved.emit(problem)

    def copy_picture(self) -> None:
        """The picture, into the clipboard."""
        QGuiApplication.clipboard().setImage(self.image())

    def copy_values(self) -> None:
        """The table, into the clipboard."""
        QGuiApplication.clipboard().setText(self.csv())

    # ---- what a person does ---------------------------------------------------------------------------------------

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu, where it was asked for."""
        self.menu().popup(event.globalPos())

    def _on_menu_clicked(self) -> None:
        self.menu().popup(self.menu_button.mapToGlobal(self.menu_button.rect().bottomLeft()))

    def menu(self) -> QMenu:
        """What can be done with the chart."""
        x_axis, y_axis = self.axes
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Show everything\tR"), self.reset_view)
        for text, axis, slot in (
            (self.tr("Logarithmic x axis"), x_axis, self._on_log_x_toggled),
            (self.tr("Logarithmic y axis"), y_axis, self._on_log_y_toggled),
        ):
            if axis.kind is AxisKind.NUMBER:
                action = menu.addAction(text)
                action.setCheckable(True)
                action.setChecked(axis.is_log)
                action.toggled.connect(slot)
        menu.addSeparator()
        menu.addAction(self.tr("Copy picture"), self.copy_picture)
        menu.addAction(self.tr("Copy values\tCtrl+C"), self.copy_values)
        menu.addAction(self.tr("Save picture or values…"), self._ask_place)
        return menu

    def _on_log_x_toggled(self, is_log: bool) -> None:
        self.set_log(x=is_log)
        self.axes_chosen.emit()

    def _on_log_y_toggled(self, is_log: bool) -> None:
        self.set_log(y=is_log)
        self.axes_chosen.emit()

    def _ask_place(self) -> None:
        name = "".join(letter if letter.isalnum() else "-" for letter in self.title or "chart").strip("-").lower()
        dialog = QFileDialog(self, self.tr("Save the chart as"), str(Path.home() / f"{name}.png"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("PNG picture (*.png)"), self.tr("Table of values (*.csv)")])
        dialog.setDefaultSuffix("png")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_place_chosen)
        dialog.open()

    def _on_place_chosen(self, path: str) -> None:
        self.save_to(path)

    def _on_legend_toggled(self, choice: Any) -> None:
        index, is_visible = choice
        self.set_visible(self.plot.curves[index].series.name, is_visible)

    def _on_readout_changed(self, found: Readout | None) -> None:
        self.readout_changed.emit(found)

    # ---- for screen readers ---------------------------------------------------------------------------------------

    def _describe(self) -> None:
        self.plot.setAccessibleDescription(self.description())

    def description(self) -> str:
        """The last values in words."""
        x_axis, y_axis = self.axes
        visible = [curve for curve in self.plot.curves if curve.is_visible]
        parts = [self.tr("{count} series over {title}").format(count=len(visible), title=x_axis.title or "x")]
        for curve in visible[:MAX_SPOKEN]:
            value = curve.last(self.plot.smoothing)
            text = f"{text_of(y_axis, value)} {y_axis.unit}".strip() if isfinite(value) else self.tr("no value yet")
            parts.append(self.tr("{name}: last {value}").format(name=curve.series.name, value=text))
        return ". ".join(parts)

    def sizeHint(self) -> QSize:
        """It takes what it gets."""
        return QSize(380, 240)


def _manner(x: Axis, y: Axis) -> tuple[bool, AxisKind, bool, AxisKind]:
    return x.is_log, x.kind, y.is_log, y.kind

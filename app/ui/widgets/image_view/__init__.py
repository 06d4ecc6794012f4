"""Pictures to look at closely: one, two against each other, or many in step."""

from app.ui.widgets.image_view.grid_view import Candidate, GridView
from app.ui.widgets.image_view.image_view import ImageView
from app.ui.widgets.image_view.legend_bar import LegendBar, Scale
from app.ui.widgets.image_view.marks import CellGrid, MarkedRectangle, Marks, Probe
from app.ui.widgets.image_view.pair_view import PairMode, PairView
from app.ui.widgets.image_view.view_state import ViewState
from app.ui.widgets.image_view.zoom_bar import ZoomBar

__all__ = [
    "Candidate",
    "CellGrid",
    "GridView",
    "ImageView",
    "LegendBar",
    "MarkedRectangle",
    "Marks",
    "PairMode",
    "PairView",
    "Probe",
    "Scale",
    "ViewState",
    "ZoomBar",
]

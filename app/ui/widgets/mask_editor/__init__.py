"""Painting which parts of a picture are made anew."""

from app.ui.widgets.mask_editor.mask_editor import MaskEditor

__all__ = ["MaskEditor"]

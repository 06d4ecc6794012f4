"""Clips to play, to step through, and to look at closely."""

from app.ui.widgets.clip_player.clip_player import ClipPlayer

__all__ = ["ClipPlayer"]

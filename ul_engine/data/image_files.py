"""Pictures from files, under the name that the engine knows them by; `ul_engine.media.pictures` does the work."""

from ul_engine.media.pictures import MAX_PIXELS, read_picture, write_picture

__all__ = ["MAX_PIXELS", "read_picture", "write_picture"]

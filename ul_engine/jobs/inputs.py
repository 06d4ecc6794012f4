"""The files of a job, under the name that jobs know them by; `ul_engine.media.inputs` does the work."""

from ul_engine.media.inputs import Input, identity_of, open_frames, read_input

__all__ = ["Input", "identity_of", "open_frames", "read_input"]

"""UL Studio, the desktop window. It never imports torch: the engine works in a process of its own."""

import os

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""Looking for plugins reads the metadata of every installed package, before the first paint and in every child."""

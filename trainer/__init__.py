"""Training of Unified Latents models as subprocesses. Imports nothing, so that light modules stay light."""

"""The sections of the page Settings, one file each."""

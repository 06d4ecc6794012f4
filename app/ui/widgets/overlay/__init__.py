"""What lies over the whole window for a moment: command palette, list of shortcuts, tour."""

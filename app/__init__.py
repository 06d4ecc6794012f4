"""UL Studio, the desktop window. It never imports torch: the engine works in a process of its own."""

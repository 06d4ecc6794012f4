"""What the page Library holds: the question, the list of answers, and what is known of the whole."""

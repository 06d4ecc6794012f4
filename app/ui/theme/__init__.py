"""The look: numbers, colours, font, icons, and the style sheet made from them."""

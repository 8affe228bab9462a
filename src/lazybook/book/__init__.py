"""What makes the pages of the book: notebooks, figures, claims and the checks of what was built."""

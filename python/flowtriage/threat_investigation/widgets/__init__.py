"""The investigation as widgets of a notebook."""

"""The investigation as a page of notebook widgets."""

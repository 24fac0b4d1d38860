"""Plots and maps of Arrow tables; needs the extra `notebook`."""

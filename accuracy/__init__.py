"""Measure the accuracy of the detectors on labelled captures and on a synthetic grid."""

"""Figures of a run that goes on, for those who collect metrics elsewhere: Prometheus and OpenTelemetry.

An exporter reads the record so far, on a thread of the collector's, and is in no step's way. It is off unless it is
asked for, and only rank 0 exports, whose record has all ranks.
"""

"""Checks of a data set before training."""

from echocardmae_mm.datasets.checks.findings import Findings, Problem
from echocardmae_mm.datasets.checks.opening import open_all, open_packed
from echocardmae_mm.datasets.checks.recognition import recognise

__all__ = ['Findings', 'Problem', 'open_all', 'open_packed', 'recognise']

"""The tables of the paper: their rows as data, the steps they need, and the report."""

from echocardmae_mm.reproduction.paper_tables import TABLES
from echocardmae_mm.reproduction.plan import (
    ALL,
    BUDGETS,
    Budget,
    Setup,
    Step,
    plan,
    results_of,
    runs_of,
)
from echocardmae_mm.reproduction.table_report import write_table

__all__ = [
    'ALL',
    'BUDGETS',
    'TABLES',
    'Budget',
    'Setup',
    'Step',
    'plan',
    'results_of',
    'runs_of',
    'write_table',
]

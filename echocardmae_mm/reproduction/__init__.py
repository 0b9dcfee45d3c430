"""Studies of many runs: the tables of the paper, and label efficiency."""

from echocardmae_mm.reproduction.label_efficiency import (
    PRETRAINED,
    SCRATCH,
    LabelledRun,
    labelled_runs,
    run_name,
)
from echocardmae_mm.reproduction.paper_tables import TABLES
from echocardmae_mm.reproduction.plan import (
    ALL,
    BUDGETS,
    PAPER,
    Budget,
    Plan,
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
    'PAPER',
    'PRETRAINED',
    'SCRATCH',
    'TABLES',
    'Budget',
    'LabelledRun',
    'Plan',
    'Setup',
    'Step',
    'labelled_runs',
    'plan',
    'results_of',
    'run_name',
    'runs_of',
    'write_table',
]

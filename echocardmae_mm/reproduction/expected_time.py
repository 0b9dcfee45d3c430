"""Expected duration of a step on phantoms, before one of its kind has finished."""

from __future__ import annotations

from echocardmae_mm.reproduction.plan import BUDGETS, Setup, Step

#: Minutes at the small budget, one thread of a virtual Intel Xeon beside a second step
#: (docs/performance.md); ejection fraction on CAMUS is extrapolated from half its epochs.
SMALL_MINUTES = {
    'pretrain': 1.8,
    'ef_echonet': 2.8,
    'ef_camus': 5.0,
    'seg_echonet': 2.1,
    'seg_camus': 2.9,
    'mi_hmcqu': 4.1,
    'figure2': 0.8,
}
_PHANTOMS = {'ef_camus': 1, 'seg_camus': 1, 'mi_hmcqu': 2}
_FOLDS = {'ef_camus': 10, 'mi_hmcqu': 5}


def expected_seconds(step: Step, setup: Setup) -> float | None:
    """Expected duration, in proportion to epochs, recordings and folds.

    Args:
        step (Step): The step.
        setup (Setup): Folders and budget.

    Returns:
        float | None: Seconds; None on real data, whose duration depends on the machine.
    """
    kind = step.name.partition('/')[0]
    if not setup.phantom or kind not in SMALL_MINUTES:
        return None
    small, budget = BUDGETS['small'], setup.budget
    data = _PHANTOMS.get(kind, 0)
    times = budget.phantoms[data] / small.phantoms[data]
    if kind != 'figure2':
        times *= budget.epochs / small.epochs
    if kind in _FOLDS and small.folds:
        # A fold trains on all the others.
        times *= ((budget.folds or _FOLDS[kind]) - 1) / (small.folds - 1)
    return 60 * SMALL_MINUTES[kind] * times

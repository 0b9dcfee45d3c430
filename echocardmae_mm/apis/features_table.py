"""Files of features: Parquet or CSV."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from echocardmae_mm.utils.atomic_files import atomic_path
from echocardmae_mm.utils.errors import UserError

PREFIX = 'feature_'


def require_table(path: Path) -> None:
    """Refuse a suffix that is unknown, or Parquet without pyarrow."""
    if path.suffix not in ('.parquet', '.csv'):
        raise UserError(f'{path}: expected a file that ends in .parquet or .csv')
    if path.suffix == '.parquet' and find_spec('pyarrow') is None:
        raise UserError(
            f'{path}: Parquet needs pyarrow\n'
            'Install it with: pip install "echocardmae_mm[features]"; or use .csv'
        )


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write features as .parquet or .csv; the file appears whole or not at all."""
    with atomic_path(path) as part:
        if path.suffix == '.parquet':
            table.to_parquet(part, index=False)
        else:
            table.to_csv(part, index=False, float_format='%.9g')


def read_features(path: Path) -> pd.DataFrame:
    """Read a file of ``echocardmae embed``, without ``--tokens``.

    Returns:
        pd.DataFrame: One row per recording that was not refused.

    Raises:
        UserError: If the file is missing or holds no such features.
    """
    require_table(path)
    if not path.is_file():
        raise UserError(f'{path}: no such file; expected one of echocardmae embed')
    text = {'recording': str, 'patient': str, 'study': str}
    try:
        parquet = path.suffix == '.parquet'
        table = pd.read_parquet(path) if parquet else pd.read_csv(path, dtype=text)
    except (ValueError, OSError) as error:
        raise UserError(f'{path}: cannot be read ({type(error).__name__})') from None
    if missing := {'recording', 'patient', 'status', f'{PREFIX}0'} - set(table):
        raise UserError(f'{path}: no column {sorted(missing)[0]}; expected a file of embed')
    if 'slot' in table:
        raise UserError(f'{path}: holds tokens; expected features, from embed without --tokens')
    return table[table['status'] == 'measured'].reset_index(drop=True)
